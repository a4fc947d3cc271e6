from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PagesConfig(AppConfig):
    name = "sistercities.pages"
    verbose_name = _("Pages")

    def ready(self) -> None:
        from sistercities.newsletter import material, welcoming
        from sistercities.pages.letters import Site
        from sistercities.pages.welcome import for_newcomers

        material.register(Site())
        welcoming.register(for_newcomers)
