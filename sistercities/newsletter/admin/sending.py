"""The pages on which staff try a letter, let it go, and watch it go (mail.md E20, E24).

`SendingPages` is mixed into the letter's admin.
"""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminSplitDateTime
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from sistercities.newsletter import releasing, trying
from sistercities.newsletter.models import Delivery, Issue
from sistercities.shared import clock

PERMISSION = "newsletter.release_issue"
UNKNOWN_SHOWN = 200
REFRESH_SECONDS = 5


class SendForm(forms.Form):
    people = forms.IntegerField(
        label=gettext_lazy("How many people"), min_value=1,
        widget=forms.NumberInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("Type the number that stands above."),
    )  # fmt: skip
    at = forms.SplitDateTimeField(
        label=gettext_lazy("Not before"), required=False, widget=AdminSplitDateTime,
        help_text=gettext_lazy("By the clock at home. Leave it empty to send now."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        day, time = cast(AdminSplitDateTime, self.fields["at"].widget).widgets
        day.attrs["aria-label"], time.attrs["aria-label"] = (
            _("Not before: day"),
            _("Not before: time"),
        )

    def clean_at(self):
        at = self.cleaned_data["at"]
        if at and at < clock.now():
            raise forms.ValidationError(_("This moment has passed. Leave it empty to send now."))
        return at


class TestForm(forms.Form):
    to: forms.ModelMultipleChoiceField = forms.ModelMultipleChoiceField(
        queryset=None, label=gettext_lazy("To"), widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["to"]
        field.queryset = trying.testers()
        field.label_from_instance = lambda user: f"{user.get_username()}, {user.email}"


class SendingPages(admin.ModelAdmin):
    """Adds the pages of sending to the admin of letters."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        pages = {
            "send": self.send_page,
            "test": self.test_page,
            "progress": require_safe(self.progress_page),
            "order": require_POST(self.order),
            "unknown": require_POST(self.decide_unknown),
        }
        return [
            path(f"<int:pk>/{name}/", wrap(page), name=f"newsletter_issue_{name}")
            for name, page in pages.items()
        ] + super().get_urls()

    def render_change_form(self, request, context, *args, obj=None, **kwargs):
        context["may_send"] = request.user.has_perm(PERMISSION)
        context["is_draft"] = obj and obj.status in {Issue.Status.DRAFT, Issue.Status.HELD}
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def send_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """GET says whom it would reach; POST lets it go if that number was typed."""
        issue = self._letter(request, pk)
        if issue.status not in {Issue.Status.DRAFT, Issue.Status.HELD}:
            return redirect(_progress(issue))
        form = SendForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                releasing.release(issue=issue, by=cast(User, request.user), **form.cleaned_data)
            except releasing.WrongCount as reason:
                form.add_error("people", str(reason))
            except releasing.CannotRelease as reason:
                form.add_error(None, str(reason))
            else:
                self._note(request, issue, _("Released"))
                return redirect(_progress(issue))
        context = {
            "form": form,
            "reached": releasing.reach(issue),
            "obstacles": releasing.obstacles(issue),
            "topics": issue.topics.all(),
        }
        return self._sending_page(request, issue, "send", _("Send the letter"), context)

    def test_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Sends it to the staff who are ticked, marked as a test."""
        if not request.user.has_perm("newsletter.change_issue"):
            raise PermissionDenied
        issue = get_object_or_404(Issue, pk=pk)
        form = TestForm(request.POST or None, initial={"to": [request.user.pk]})
        if request.method == "POST" and form.is_valid():
            count = trying.send_test(issue=issue, to=form.cleaned_data["to"])
            text = ngettext("%d test is on its way.", "%d tests are on their way.", count)
            self.message_user(request, text % count)
            return redirect(reverse("admin:newsletter_issue_change", args=[pk]))
        return self._sending_page(request, issue, "test", _("Send a test"), {"form": form})

    def progress_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """How far it has come. Shows it anew every few seconds while it is on its way."""
        issue = self._letter(request, pk)
        tally = issue.deliveries.all().tally()
        skipped = sum(tally["skipped"].values())
        waiting = tally["queued"] + tally["claimed"]
        unknown = issue.deliveries.filter(state=Delivery.State.UNKNOWN).select_related("subscriber")
        context = {
            "tally": tally,
            "skipped": skipped,
            "waiting": waiting,
            "all": sum(tally[state] for state in Delivery.State.values if state != "skipped")
            + skipped,
            "reasons": [
                (label, tally["skipped"][reason]) for reason, label in Delivery.Skip.choices
            ],
            "unknown": unknown[:UNKNOWN_SHOWN],
            "refresh": REFRESH_SECONDS
            if issue.status in {Issue.Status.SCHEDULED, Issue.Status.SENDING}
            else None,
            "is_starting": issue.status == Issue.Status.SCHEDULED
            and issue.send_at
            and issue.send_at <= clock.now(),
        }
        return self._sending_page(request, issue, "progress", _("How far it is"), context)

    def order(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What a button of the progress page asks for."""
        issue = self._letter(request, pk)
        orders = {
            "pause": (releasing.pause, _("Paused")),
            "resume": (releasing.resume, _("Resumed")),
            "stop": (releasing.stop, _("Stopped for good")),
            "take_back": (releasing.take_back, _("Taken back: it is a draft again")),
        }
        if request.POST.get("order") not in orders:
            return redirect(_progress(issue))
        act, done = orders[request.POST["order"]]
        if act(issue=issue):
            self._note(request, issue, done)
            self.message_user(request, f"{done}.")
        else:
            self.message_user(
                request, _("That was not possible any more: see below."), messages.WARNING
            )
        return redirect(_progress(issue))

    def decide_unknown(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A person says of chosen unknown ones whether they shall go again."""
        issue = self._letter(request, pk)
        chosen = [int(key) for key in request.POST.getlist("chosen") if key.isdecimal()]
        if request.POST.get("decision") == "resend":
            count = releasing.resend(issue=issue, chosen=chosen)
            text = ngettext("%d goes again.", "%d go again.", count) % count
        else:
            count = releasing.mark_sent(issue=issue, chosen=chosen)
            text = ngettext("%d marked as sent.", "%d marked as sent.", count) % count
        if count:
            self._note(request, issue, text)
        self.message_user(request, text)
        return redirect(_progress(issue))

    def _letter(self, request: HttpRequest, pk: int) -> Issue:
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied
        return get_object_or_404(Issue, pk=pk)

    def _note(self, request: HttpRequest, issue: Issue, what: str) -> None:
        self.log_change(request, issue, [{"changed": {"fields": [what]}}])

    def _sending_page(
        self, request: HttpRequest, issue: Issue, name: str, title: str, context: dict[str, Any]
    ) -> HttpResponse:
        shared = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "issue": issue,
        }
        template = {
            "send": "admin/newsletter/issue/send.html",
            "test": "admin/newsletter/issue/test.html",
            "progress": "admin/newsletter/issue/progress.html",
        }[name]
        return TemplateResponse(request, template, shared | context)


def _progress(issue: Issue) -> str:
    return reverse("admin:newsletter_issue_progress", args=[issue.pk])
