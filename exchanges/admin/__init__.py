# Each module registers what it is about.
from exchanges.admin import batches, consents, events, galleries, links, photos, visits

__all__ = ["batches", "consents", "events", "galleries", "links", "photos", "visits"]
