from typing import Any

from django.apps import AppConfig, apps
from django.contrib.admin import apps as admin_apps
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.models.signals import post_delete
from django.utils.translation import gettext_lazy as _


class SharedConfig(AppConfig):
    name = "sistercities.shared"
    verbose_name = _("Site")
    default = True

    def ready(self) -> None:
        connection_created.connect(leave_json_unasked, dispatch_uid="leave_json_unasked")
        from sistercities.shared import stamps
        from sistercities.shared.stored_files import KeepsFiles, discard_files_of

        connection_created.connect(stamps.watch, dispatch_uid="stamps.watch")
        for model in apps.get_models():
            if issubclass(model, KeepsFiles):
                post_delete.connect(discard_files_of, sender=model)


def leave_json_unasked(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Both databases know JSON, so Django need not find out.

    It asks SQLite at the first JSON of each connection in a write transaction of its own: three
    queries in a reader's page, and a wait for every writer.
    """
    connection.features.supports_json_field = True


class StaffAdminConfig(admin_apps.AdminConfig):
    """The stock admin with our site in the place of Django's."""

    default_site = "sistercities.shared.admin_site.StaffSite"
    default = False
