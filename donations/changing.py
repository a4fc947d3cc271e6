"""Changes a gift that repeats, by its donor's wish or for a donor who phones (giving.md D24).

A wish is a row with its key and frozen parameters before anything is sent (hazard 12). What came of
it is read from the processor afterwards: no change is believed because it was asked for.
"""

import datetime as dt
import logging
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from donations import due_days, recurring, sync
from donations.models import PlanChange, RecurringGift
from donations.models.recurring import Action
from donations.providers import provider
from donations.providers.base import PlanSnap, ProviderDown, ProviderRefused
from sistercities.shared import clock
from sistercities.shared.models import SiteSettings

logger = logging.getLogger(__name__)
State, Plan = PlanChange.State, RecurringGift.State
WAIT = 5.0  # seconds in line for a plan that an event looks at
KEY_LASTS = dt.timedelta(hours=23)
ALLOWED = {
    Action.AMOUNT: {Plan.ACTIVE, Plan.PAUSED},
    Action.DAY: {Plan.ACTIVE},
    Action.SKIP: {Plan.ACTIVE},
    Action.PAUSE: {Plan.ACTIVE},
    Action.RESUME: {Plan.PAUSED, Plan.CANCELING},
    Action.CANCEL: {Plan.INCOMPLETE, *RecurringGift.RUNNING},
}


class CannotChange(Exception):
    """This cannot be done with this gift now; the message says why."""


def next_number(plan: RecurringGift) -> int:
    """The number of the next wish. A form carries it, so the same form twice is one wish."""
    return plan.changes.count() + 1


def possible(plan: RecurringGift) -> set[str]:
    """What can be asked for in the present state; only a monthly gift pauses by months."""
    actions = {action.value for action, states in ALLOWED.items() if plan.state in states}
    if plan.interval == RecurringGift.Interval.YEARLY:
        actions.discard(Action.PAUSE)
    return actions


def ask(
    *,
    plan: RecurringGift,
    number: int,
    action: str,
    value: int = 0,
    asked_by: User | None = None,
) -> PlanChange:
    """Keeps a wish and carries it out; the wish as it then is.

    `value`: cents for another amount, a day from 1 to 28, or how many gifts a pause leaves out.
    The same form twice changes once. Raises `CannotChange`; then nothing was kept. Where the
    processor does not answer the wish stays asked for, and the sweep carries it out.
    """
    change = plan.changes.filter(number=number).first()
    if change is None:
        try:
            change = _keep(plan, number, Action(action), value, asked_by)
        except (ProviderDown, ProviderRefused) as error:
            raise CannotChange(
                _("We cannot reach our card processor at the moment. Nothing was changed. "
                  "Please try again in a few minutes.")
            ) from error  # fmt: skip
    if (change.action, change.value) != (action, value):
        raise CannotChange(_("This page was out of date. Please look at it again."))
    if change.state == State.ASKED:
        try:
            carry_out(change=change)
        except (ProviderDown, sync.GiftBusy) as error:
            logger.warning("Change %s waits: %s", change.pk, type(error).__name__)
    change.refresh_from_db()
    return change


def _keep(
    plan: RecurringGift, number: int, action: Action, value: int, asked_by: User | None
) -> PlanChange:
    """The row of a wish. To stop is always taken, even while the processor is down."""
    if action.value not in possible(plan) or not plan.provider_reference:
        raise CannotChange(_("This cannot be done at present. Please look at the page again."))
    if number != next_number(plan):
        raise CannotChange(_("This page was out of date. Please look at it again."))
    params: dict[str, Any] = {}
    if action != Action.CANCEL:
        params = _params(action, value, provider.fetch_plan(plan.provider_reference))
    with transaction.atomic():
        change, is_new = PlanChange.objects.get_or_create(
            plan=plan,
            number=number,
            defaults={
                "action": action,
                "value": value,
                "idempotency_key": f"plan:{plan.token}:{action}:{number}",
                "params": params,
                "asked_by": asked_by,
            },
        )
        if is_new:
            older = plan.changes.filter(state=State.ASKED, number__lt=number)
            older.update(state=State.DROPPED)
    return change


def _params(action: Action, value: int, snap: PlanSnap) -> dict[str, Any]:
    if action == Action.AMOUNT:
        return provider.amount_params(snap, value)
    if action == Action.DAY:
        zone = SiteSettings.load().zone
        today = clock.now().astimezone(zone).date()
        day = due_days.moved_to(snap.period_ends_at.astimezone(zone).date(), value, today)
        return provider.day_params(clock.noon_of(day, zone))
    if action in {Action.SKIP, Action.PAUSE}:
        last = snap.period_ends_at  # the last charge that is left out
        for _number in range(1, value):
            last = due_days.one_later(last, snap.interval, snap.anchored_at.day)
        return provider.pause_params(last + dt.timedelta(days=1))
    return provider.resume_params()


def carry_out(*, change: PlanChange) -> None:
    """Has the processor make a change, and reads what came of it. Safe to repeat: every change
    says what shall be, not by how much. Raises `ProviderDown` and `GiftBusy`.
    """
    plan = change.plan
    ref = plan.provider_reference or ""
    waiting = PlanChange.objects.filter(pk=change.pk, state=State.ASKED)
    try:
        if change.action == Action.CANCEL:
            provider.cancel_plan(plan_ref=ref)
        else:
            provider.change_plan(plan_ref=ref, key=change.idempotency_key, params=change.params)
    except ProviderRefused as error:
        waiting.update(state=State.REFUSED, problem=str(error)[:300])
    except ProviderDown as error:
        if error.is_key_spent and change.action != Action.CANCEL:
            waiting.update(state=State.REFUSED, problem=str(error)[:300])
        raise
    else:
        waiting.update(state=State.DONE)
    recurring.sync_plan(plan=plan, wait=WAIT)


def has_news(plan: RecurringGift) -> bool:
    """Whether a change was made and the plan was not looked at since."""
    done = plan.changes.filter(state=State.DONE)
    return done.filter(asked_at__gt=plan.looked_at).exists() if plan.looked_at else False


def carry_out_waiting() -> int:
    """Asks again for the changes of which no answer came; the number that has one now. A wish
    whose key the processor may have forgotten is given up, but for one to stop.
    """
    done = 0
    waiting = PlanChange.objects.filter(state=State.ASKED).select_related("plan").order_by("pk")
    for change in waiting[:50]:
        is_old = change.asked_at < clock.now() - KEY_LASTS
        if is_old and change.action != Action.CANCEL:
            PlanChange.objects.filter(pk=change.pk, state=State.ASKED).update(
                state=State.REFUSED, problem=_("The processor did not answer for a day.")
            )
            continue
        try:
            carry_out(change=change)
        except (ProviderDown, sync.GiftBusy):
            continue
        done += 1
    return done
