from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.utils.translation import gettext_lazy as _


class SharedConfig(AppConfig):
    name = "sistercities.shared"
    verbose_name = _("Site")
    default = True


class StaffAdminConfig(admin_apps.AdminConfig):
    """The stock admin with our site in the place of Django's."""

    default_site = "sistercities.shared.admin_site.StaffSite"
    default = False
