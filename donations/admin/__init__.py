"""Gifts in the admin, a module a concept. Importing a module registers its pages."""

from donations.admin import books, campaigns, gifts, returns

__all__ = ["books", "campaigns", "gifts", "returns"]
