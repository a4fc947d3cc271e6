"""Where a letter may lead: pages of the site, the web, a mailbox, a telephone. Nowhere else."""

import re

from sistercities.shared.addresses import absolute

PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")
LEADS_TO = re.compile(r"https?://[^\s\"<>\[\]]+|mailto:\S+|tel:\S+")


def address(url: str) -> str:
    """The whole address, or nothing for what is none: `checking` tells staff what is wrong."""
    if url.startswith("/") and not url.startswith("//"):
        return absolute(url)
    return url if LEADS_TO.fullmatch(url) or PLACEHOLDER.fullmatch(url) else ""


def public_address(url: str) -> str:
    """The same for a page that everybody reads, where no placeholder leads anywhere."""
    return "" if PLACEHOLDER.search(url) else address(url)
