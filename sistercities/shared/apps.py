from typing import Any

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.utils.translation import gettext_lazy as _


class SharedConfig(AppConfig):
    name = "sistercities.shared"
    verbose_name = _("Site")
    default = True

    def ready(self) -> None:
        connection_created.connect(ask_for_json, dispatch_uid="ask_for_json")


def ask_for_json(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Django asks SQLite once whether it knows JSON: at the connection, not in a reader's page."""
    assert connection.features.supports_json_field


class StaffAdminConfig(admin_apps.AdminConfig):
    """The stock admin with our site in the place of Django's."""

    default_site = "sistercities.shared.admin_site.StaffSite"
    default = False
