"""Card processors: each module speaks to one of them, in the words of `base`."""

from donations.providers.base import Provider
from donations.providers.stripe import StripeProvider

provider: Provider = StripeProvider()

__all__ = ["provider"]
