"""The newsletter in the admin, a module a concept. Importing a module registers its pages."""

from sistercities.newsletter.admin import (
    bounces,
    deliveries,
    imports,
    issues,
    reports,
    subscribers,
    topics,
)

__all__ = ["bounces", "deliveries", "imports", "issues", "reports", "subscribers", "topics"]
