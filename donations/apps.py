from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DonationsConfig(AppConfig):
    name = "donations"
    verbose_name = _("Gifts")

    def ready(self) -> None:
        from donations import checks  # noqa: F401 registers itself
