"""Visits as pairs: a call and the one that answers it, and whose turn it is."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sistercities.shared.cards import Card

THEM, US = "them", "us"


@dataclass
class Pair:
    """A visit and its answer, made or planned; `owed` says who is to call where there is none."""

    first: Card
    answer: Card | None
    owed: str


def pair_visits(visits: list[Card]) -> list[Pair]:
    """Visits, oldest first, each with its return visit where one is known."""
    answers = {visit.more["answers"]: visit for visit in visits if visit.more["answers"]}
    shown = {visit.pk for visit in visits}
    pairs = []
    for visit in visits:
        if visit.more["answers"] in shown:
            continue
        answer = answers.get(visit.pk)
        owed = ""
        # One that answers a visit which is not shown, such as a draft, is an answer all the same.
        if not answer and not visit.more["answers"] and visit.more["stage"] == "completed":
            owed = THEM if visit.more["direction"] == "outbound" else US
        pairs.append(Pair(visit, answer, owed))
    return pairs


def whose_turn(pairs: list[Pair], city: str) -> str:
    """In one sentence, who is to call next; nothing where no visit has been made yet."""
    open_years = {
        side: [str(pair.first.on.year) for pair in pairs if pair.owed == side and pair.first.on]
        for side in (THEM, US)
    }
    theirs, ours = open_years[THEM], open_years[US]
    if theirs and ours:
        return _("Each side has a visit to return.")
    if theirs or ours:
        years = theirs or ours
        visits = ngettext(
            "the visit of %(years)s has no answer yet.",
            "the visits of %(years)s have no answer yet.",
            len(years),
        ) % {"years": _and(years)}
        turn = _("It is %(city)s’s turn") % {"city": city} if theirs else _("It is our turn")
        return f"{turn}: {visits}"
    if coming := next((p.answer for p in pairs if p.answer and is_ahead(p.answer)), None):
        if coming.more["direction"] == "inbound":
            return _("It is %(city)s’s turn, and the visit is planned.") % {"city": city}
        return _("It is our turn, and the visit is planned.")
    return _("Every visit has been answered.") if any(pair.answer for pair in pairs) else ""


def is_ahead(visit: Card) -> bool:
    return visit.more["stage"] in ("planned", "under_way")


def _and(words: list[str]) -> str:
    """`2010`, `2010 and 2013`, `2010, 2011 and 2013`."""
    *others, last = words
    return (
        _("%(words)s and %(last)s") % {"words": ", ".join(others), "last": last} if others else last
    )
