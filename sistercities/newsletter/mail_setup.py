"""Whether our mail will be believed, asked of the world's name servers and of a received letter.

Each answer is a light with a sentence: what is so, or what to do (mail.md E7, E11, E12, E14).
Nothing here sends mail.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_string, policy
from email.utils import parseaddr
from enum import StrEnum
from urllib.parse import urlsplit

import dns.exception
import dns.resolver
import dns.reversename
from django.conf import settings
from django.utils.translation import gettext as _

from sistercities.newsletter import bounces
from sistercities.newsletter.models import Issue
from sistercities.newsletter.own_domain import belong_together, from_domain
from sistercities.shared.models import SiteSettings

PATIENCE = 3  # seconds for one question
ONE_CLICK = {"list-unsubscribe", "list-unsubscribe-post"}


class Light(StrEnum):
    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


@dataclass(frozen=True)
class Check:
    title: str
    light: Light
    text: str


class NoAnswer(Exception):
    """The name servers could not be reached: nothing is known."""


def checks() -> list[Check]:
    """All lights, in the order in which they are best mended. Asks name servers: some seconds."""
    found = [_sender(), _postal_address(), _way_back()]
    if _is_own_machine(from_domain()):
        text = _("This site runs on your own machine: nobody in the world can look it up.")
        return [*found, Check(_("Name servers"), Light.YELLOW, text), *_complaints()]
    for ask in (_spf, _dkim, _dmarc, _mail_server):
        try:
            found += ask()
        except NoAnswer:
            title = {_spf: "SPF", _dkim: "DKIM", _dmarc: "DMARC"}.get(ask, _("Mail server"))
            text = _("No name server answered. Look again in a minute.")
            found.append(Check(title, Light.YELLOW, text))
    return [*found, *_complaints()]


# --- what we know ourselves -----------------------------------------------------------------


def _sender() -> Check:
    domain, host = from_domain(), (urlsplit(settings.SITE_URL).hostname or "")
    title = _("Who letters are from")
    host = host.removeprefix("www.")
    if belong_together(domain, host):
        return Check(title, Light.GREEN, _("%s, on your own domain.") % settings.DEFAULT_FROM_EMAIL)
    text = _(
        "%(sender)s is not on the domain of this site, %(host)s. Mail programs distrust that. Set "
        "DEFAULT_FROM_EMAIL to an address of your own domain that people read."
    )
    return Check(title, Light.RED, text % {"sender": settings.DEFAULT_FROM_EMAIL, "host": host})


def _postal_address() -> Check:
    title = _("Postal address")
    if SiteSettings.load().postal_address.strip():
        return Check(title, Light.GREEN, _("It stands at the foot of every letter."))
    text = _("The law asks for one in every letter. Write it into the site settings.")
    return Check(title, Light.RED, text)


def _way_back() -> Check:
    title = _("Bounces and complaints")
    if settings.MAIL_WEBHOOK_SECRET:
        text = _("Your mail provider tells us, at %s/webhooks/mail/<provider>/.")
        return Check(title, Light.GREEN, text % settings.SITE_URL)
    if settings.BOUNCE_ADDRESS and settings.BOUNCE_IMAP_URL:
        text = _("They come back to %s, which is read every minute.")
        return Check(title, Light.GREEN, text % settings.BOUNCE_ADDRESS)
    if settings.BOUNCE_ADDRESS:
        text = _("They come back to %s, and nobody reads it. Set BOUNCE_IMAP_URL.")
        return Check(title, Light.RED, text % settings.BOUNCE_ADDRESS)
    text = _(
        "Nobody hears of them, so dead addresses stay on the list and your mail is trusted less "
        "with each letter. Set MAIL_WEBHOOK_SECRET (with a mail provider) or BOUNCE_ADDRESS and "
        "BOUNCE_IMAP_URL (with a mailbox of your own)."
    )
    return Check(title, Light.RED, text)


def _complaints() -> Iterator[Check]:
    last = Issue.objects.exclude(began_at=None).order_by("-began_at").first()
    if last is None:
        return
    complaints, letters = bounces.complaint_rate(last)
    rate = bounces.percent(complaints, letters)
    light = Light.GREEN
    text = _("%(count)d of the last letter: %(rate)s %%. Below 0.1 %% is good.")
    if bounces.is_at_least(complaints, letters, bounces.WARN_AT):
        light = Light.YELLOW
        text = _(
            "%(count)d of the last letter: %(rate)s %%. From 0.1 %% on mail programs begin to "
            "distrust you. Write to those only who asked for it, and say at the top who you are."
        )
    if bounces.is_at_least(complaints, letters, bounces.STOP_AT):
        light = Light.RED
        text = _(
            "%(count)d of the last letter: %(rate)s %%. At 0.3 %% your mail is hidden from all. Do "
            "not send before you know why."
        )
    yield Check(_("Complaints"), light, text % {"count": complaints, "rate": rate})


# --- what the name servers say --------------------------------------------------------------


def _spf() -> Iterator[Check]:
    domain = settings.BOUNCE_ADDRESS.rpartition("@")[2].lower() or from_domain()
    found = [text for text in _texts(domain) if re.match(r"v=spf1(\s|$)", text, re.IGNORECASE)]
    if not found:
        text = _(
            "%s does not say which servers may send its mail. Your mail provider or host shows a "
            "line that begins with v=spf1; enter it as a TXT record."
        )
        yield Check("SPF", Light.RED, text % domain)
    elif len(found) > 1:
        text = _("%s has two lines that begin with v=spf1. Only one may be there: join them.")
        yield Check("SPF", Light.RED, text % domain)
    elif re.search(r"\s\+?all\b", found[0], re.IGNORECASE):
        text = _("%s lets everybody send in its name. Write ~all or -all at the end of the line.")
        yield Check("SPF", Light.RED, text % domain)
    elif not re.search(r"\s([~-]all\b|redirect=)", found[0], re.IGNORECASE):
        text = _("%s does not say what holds for other servers. Write ~all at the end of the line.")
        yield Check("SPF", Light.YELLOW, text % domain)
    else:
        text = _("%(domain)s names its servers: %(line)s")
        yield Check("SPF", Light.GREEN, text % {"domain": domain, "line": found[0]})


def _dkim() -> Iterator[Check]:
    domain, selector = from_domain(), settings.DKIM_SELECTOR
    if not selector:
        text = _(
            "DKIM_SELECTOR is not set, so the key cannot be looked up. Your mail provider shows "
            "the name; it stands before ._domainkey. Or paste a letter that you received below."
        )
        yield Check("DKIM", Light.YELLOW, text)
        return
    name = f"{selector}._domainkey.{domain}"
    keys = [text for text in _texts(name) if re.search(r"\bp=", text)]
    if not keys:
        text = _(
            "There is no key at %s. Your mail provider or host shows one; enter it as a TXT or "
            "CNAME record."
        )
        yield Check("DKIM", Light.RED, text % name)
    elif not re.search(r"\bp=\s*[A-Za-z0-9+/]", keys[0]):
        text = _("The key at %s has been taken back. Ask your mail provider for a new one.")
        yield Check("DKIM", Light.RED, text % name)
    else:
        text = _("The key at %s is there. Paste a received letter below to see that it is used.")
        yield Check("DKIM", Light.GREEN, text % name)


def _dmarc() -> Iterator[Check]:
    domain = from_domain()
    labels = domain.split(".")
    for start in range(max(1, len(labels) - 1)):
        name = ".".join(["_dmarc", *labels[start:]])
        found = [text for text in _texts(name) if text.upper().startswith("V=DMARC1")]
        if found:
            break
    if not found:
        text = _(
            "%s does not say what to do with forged mail. Enter a TXT record _dmarc with: "
            "v=DMARC1; p=none"
        )
        yield Check("DMARC", Light.RED, text % domain)
        return
    rule = re.search(r"\bp\s*=\s*(none|quarantine|reject)\b", found[0], re.IGNORECASE)
    if len(found) > 1 or not rule:
        text = _("The line at %s cannot be understood. It must be one, such as: v=DMARC1; p=none")
        yield Check("DMARC", Light.RED, text % name)
    else:
        text = _("%(name)s is there: %(line)s")
        yield Check("DMARC", Light.GREEN, text % {"name": name, "line": found[0]})


def _mail_server() -> Iterator[Check]:
    """Only for a server of our own; with a provider both are the provider's part."""
    if not settings.EMAIL_BACKEND.endswith("smtp.EmailBackend"):
        return
    host, title = settings.EMAIL_HOST, _("Mail server")
    if host in {"localhost", "127.0.0.1", "::1"}:
        text = _("Mail is handed to this machine itself. Its name must lead to it and back.")
        yield Check(title, Light.YELLOW, text)
        return
    if settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL:
        yield Check(_("Encryption"), Light.GREEN, _("Mail goes to %s encrypted.") % host)
    else:
        text = _("Mail and its password go to %s in the clear. Write smtp+tls:// into EMAIL_URL.")
        yield Check(_("Encryption"), Light.RED, text % host)
    places = _ask(host, "A")
    names = {
        name.rstrip(".").lower()
        for place in places
        for name in _ask(dns.reversename.from_address(place).to_text(), "PTR")
    }
    if any(set(places) & set(_ask(name, "A")) for name in names):
        text = _("%s leads to its number, and the number back to a name of its own.")
        yield Check(title, Light.GREEN, text % host)
    else:
        text = _(
            "The number of %s does not lead back to a name that leads to it. If this server sends "
            "your mail to the world itself, ask its host for a PTR record; a relay is exempt."
        )
        yield Check(title, Light.YELLOW, text % host)


def _texts(name: str) -> list[str]:
    return _ask(name, "TXT")


def _ask(name: str, kind: str) -> list[str]:
    """What the name servers hold; [] where there is nothing. Raises `NoAnswer`."""
    try:
        answer = dns.resolver.resolve(name, kind, lifetime=PATIENCE, raise_on_no_answer=False)
    except (dns.resolver.NXDOMAIN, dns.exception.SyntaxError, dns.exception.FormError):
        return []
    except dns.exception.DNSException as error:
        raise NoAnswer from error
    if kind != "TXT":
        return [record.to_text() for record in answer]
    return [b"".join(record.strings).decode("utf-8", "replace") for record in answer]


# --- what a received letter says ------------------------------------------------------------


def checks_of_received(source: str) -> list[Check]:
    """Lights for the source of a letter as it arrived, pasted by a person (E7, E14)."""
    message = message_from_string(source.lstrip(), policy=policy.compat32)
    sender = parseaddr(str(message.get("From", "")))[1].lower().rpartition("@")[2]
    if not sender:
        text = _("This is not the source of a letter: it must begin with its header lines.")
        return [Check(_("Received letter"), Light.RED, text)]
    return [*_signatures(message, sender), *_verdicts(message)]


def _signatures(message, sender: str) -> Iterator[Check]:
    title = _("DKIM signature of the received letter")
    signatures = [_tags(str(line)) for line in message.get_all("DKIM-Signature", [])]
    ours = [tags for tags in signatures if belong_together(tags.get("d", ""), sender)]
    if not ours:
        text = _(
            "No signature by %s. Without one mail programs show no button for leaving and trust "
            "the letter less. Turn on DKIM for your own domain at your mail provider."
        )
        yield Check(title, Light.RED, text % sender)
        return
    signed = [{name.strip().lower() for name in tags.get("h", "").split(":")} for tags in ours]
    if any(names >= ONE_CLICK for names in signed):
        text = _("Signed by %s, with both header lines for leaving.")
        yield Check(title, Light.GREEN, text % ours[0].get("d"))
    else:
        text = _(
            "Signed by %s, but not the lines List-Unsubscribe and List-Unsubscribe-Post: mail "
            "programs then show no button for leaving. Ask your mail provider to sign both."
        )
        yield Check(title, Light.RED, text % ours[0].get("d"))


def _verdicts(message) -> Iterator[Check]:
    """What the reader's mail server found; it writes the first such line, above all others."""
    found = message.get_all("Authentication-Results", [])
    if not found:
        return
    verdict = " ".join(str(found[0]).split())
    for what in ("spf", "dkim", "dmarc"):
        results = re.findall(rf"\b{what}=(\w+)", verdict, re.IGNORECASE)
        title = _("%s as the reader's server saw it") % what.upper()
        if "pass" in (result.lower() for result in results):
            yield Check(title, Light.GREEN, _("Passed."))
        elif results:
            yield Check(title, Light.RED, _("Not passed: %s.") % results[0])


def _tags(line: str) -> dict[str, str]:
    parts = (part.partition("=") for part in "".join(line.split()).split(";"))
    return {name.lower(): value for name, _equals, value in parts if name}


def _is_own_machine(domain: str) -> bool:
    return domain == "localhost" or domain.replace(".", "").isdigit()
