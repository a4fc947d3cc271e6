"""What must be so before the site starts."""

from typing import Any

from django.core import checks

from donations.providers import provider


@checks.register
def library_speaks_our_version(**_: Any) -> list[checks.CheckMessage]:
    """A new library may name and mean things in another way than this code reads them (F12)."""
    if provider.spoken_version == provider.api_version:
        return []
    return [
        checks.Error(
            f"The installed stripe library speaks API version {provider.spoken_version}. "
            f"This code was written for {provider.api_version}.",
            hint="Install requirements.txt, or read the changelog of Stripe's API, run the tests, "
            "and change API_VERSION and the version of the webhook.",
            id="donations.E001",
        )
    ]
