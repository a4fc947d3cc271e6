from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NewsletterConfig(AppConfig):
    name = "sistercities.newsletter"
    verbose_name = _("Newsletter")

    def ready(self):
        from sistercities.newsletter import subscribing
        from sistercities.shared import mail

        mail.hold_back(subscribing.why_not_sent)
