"""The pages on which staff compose a letter: draft it, arrange its blocks, see how it will look.

`ComposingPages` is mixed into the letter's admin. What a letter says once it is on its way can be
looked at and not changed.
"""

import datetime as dt
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.forms import BaseInlineFormSet, all_valid
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_aware
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from sistercities.newsletter import checking, composing
from sistercities.newsletter.lines import lines_of
from sistercities.newsletter.models import Block, Issue, Topic
from sistercities.newsletter.rendering import Letter, personal, skeleton
from sistercities.shared.admin import NonceMixin
from sistercities.shared.models import SiteSettings
from sistercities.shared.open_forms import OneLine

# A letter asks for pictures of the site and nothing else; nothing in it runs.
PREVIEW_POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'; "
    "form-action 'none'; base-uri 'none'; sandbox allow-same-origin"
)
LOOKS = (
    ("desktop", gettext_lazy("a computer")),
    ("phone", gettext_lazy("a phone")),
    ("dark", gettext_lazy("dark")),
    ("text", gettext_lazy("text")),
)
DARK = "(prefers-color-scheme: dark)"
MEASURED = {"data-best": "45", "data-most": "60"}, {"data-best": "90", "data-most": "110"}


class BlockForm(forms.ModelForm):
    kept_lines = forms.MultipleChoiceField(
        label=gettext_lazy("dates"), required=False, widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Take the tick away to leave one out."),
    )  # fmt: skip
    order = forms.IntegerField(label=gettext_lazy("place"), min_value=0, max_value=32_000,
                               required=False, initial=0)  # fmt: skip

    class Meta:
        model = Block
        fields = (
            "kind", "order", "title", "text", "picture", "picture_alt", "picture_caption",
            "picture_credit", "url", "label", "topic",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lines = lines_of(self.instance) if self.instance.kind == Block.Kind.EVENTS else []
        field: Any = self.fields["kept_lines"]
        field.choices = [
            (str(number), " ".join(part for part in (line.month, str(line.number or ""), line.title)
                                   if part))
            for number, line in enumerate(self.lines)
        ]  # fmt: skip
        self.initial["kept_lines"] = [str(number) for number in range(len(self.lines))]
        if not self.lines:
            field.widget = forms.MultipleHiddenInput()

    def clean_order(self) -> int:
        return self.cleaned_data["order"] or 0

    def save(self, commit: bool = True) -> Block:
        if self.lines:
            kept = set(self.cleaned_data["kept_lines"])
            self.instance.lines = [
                line for number, line in enumerate(self.instance.lines) if str(number) in kept
            ]
        elif self.instance.kind == Block.Kind.EVENTS:
            composing.fill_events(self.instance)
        if "topic" in self.changed_data and self.instance.topic:
            self.instance.about = self.instance.topic
        return super().save(commit)


class BlockInline(admin.StackedInline):
    model = Block
    form = BlockForm
    formset = BaseInlineFormSet
    template = "admin/newsletter/issue/blocks.html"
    extra = 0
    classes = ()
    verbose_name_plural = gettext_lazy("blocks, in the order of the letter")

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("topic")

    def get_fieldsets(self, request, obj=None):
        return (
            (None, {"fields": ("kind", "order", "title", "text", "kept_lines")}),
            (
                gettext_lazy("Picture"),
                {"fields": ("picture", "picture_alt", ("picture_caption", "picture_credit"))},
            ),
            (None, {"fields": (("url", "label"), "topic")}),
        )

    def get_readonly_fields(self, request, obj=None):
        # Where nothing can be changed there is no form, and so no field of the form's own.
        return () if obj is None or obj.is_editable else ("kept_lines",)

    @admin.display(description=gettext_lazy("dates"))
    def kept_lines(self, block: Block) -> str:
        return ", ".join(line.title for line in lines_of(block) if line.title)

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        """Without the buttons that would change or delete a topic from within a letter."""
        field: Any = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "topic":
            field.widget = field.widget.widget
        return field

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        """One query for the choices of all blocks, not one each."""
        field: Any = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "topic":
            field.widget = forms.Select()
            field.choices = [
                ("", _("Everybody")),
                *((each.pk, str(each)) for each in _topics(request)),
            ]
        return field


class ComposingPages(NonceMixin, admin.ModelAdmin):
    """Adds drafting, composing and looking to the admin of letters."""

    change_form_template = "admin/newsletter/issue/change_form.html"
    change_list_template = "admin/newsletter/issue/change_list.html"
    inlines = [BlockInline]

    def get_urls(self):
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/material/", wrap(self.material), name="newsletter_issue_material"),
            path("<int:pk>/preview/", wrap(self.preview), name="newsletter_issue_preview"),
            *super().get_urls(),
        ]

    def has_change_permission(self, request, obj=None):
        return super().has_change_permission(request, obj) and (obj is None or obj.is_editable)

    def has_delete_permission(self, request, obj=None):
        """Only what nobody was told can be thrown away."""
        is_draft = obj is None or obj.status == Issue.Status.DRAFT
        return super().has_delete_permission(request, obj) and is_draft

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        """A subject and the line after it end up in headers (mail.md E22)."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name in {"subject", "preheader"}:
            best = MEASURED[db_field.name == "preheader"]
            widget = admin.widgets.AdminTextInputWidget(attrs={"class": "vLargeTextField", **best})
            return OneLine(
                label=db_field.verbose_name.capitalize(), help_text=db_field.help_text,
                required=not db_field.blank, max_length=db_field.max_length, strip=True,
                widget=widget,
            )  # fmt: skip
        return field

    # --- drafting -----------------------------------------------------------------------------

    def add_view(self, request, form_url="", extra_context=None):
        """GET shows what there is to tell, POST makes the draft of what was ticked."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        since = _moment(request) or composing.last_letter_at()
        if request.method == "POST":
            with transaction.atomic():
                issue = composing.draft(since=since, keys=request.POST.getlist("key"))
                self.log_addition(request, issue, [{"added": {}}])
            self.message_user(request, _("Your draft is ready. Nothing is sent yet."))
            return HttpResponseRedirect(_page_of(issue))
        context = {
            "title": _("New letter"),
            "since": since,
            "offers": composing.offers(since=since),
        }
        return self._offers_page(request, context)

    def material(self, request: HttpRequest, pk: int) -> HttpResponse:
        """More of the site for a letter that is there already."""
        issue = self._opened(request, pk, to_change=True)
        since = _moment(request) or issue.covers_since or composing.last_letter_at()
        if request.method == "POST":
            count = composing.add(issue, keys=request.POST.getlist("key"))
            if count:
                self.log_change(request, issue, _("Added from the site"))
            text = ngettext("%d block was added.", "%d blocks were added.", count)
            self.message_user(request, text % count)
            return HttpResponseRedirect(_page_of(issue))
        context = {
            "title": _("Add from the site"),
            "issue": issue,
            "since": since,
            "offers": composing.offers(since=since, issue=issue),
        }
        return self._offers_page(request, context)

    # --- composing ----------------------------------------------------------------------------

    def render_change_form(self, request, context, *args, obj=None, **kwargs):
        context["is_nav_sidebar_enabled"] = False  # the letter and its preview need the width
        if obj:
            context |= {
                "title": _("Compose the letter") if obj.is_editable else _("A letter"),
                "issue": obj,
                "looks": LOOKS,
                "topics": [(topic.slug, topic.title) for topic in _topics(request)],
                "problems": checking.problems(obj) if obj.is_editable else [],
            }
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def response_change(self, request, obj):
        """Saving leaves staff where they are."""
        self.message_user(request, _("Saved. Nothing is sent yet."), messages.SUCCESS)
        return HttpResponseRedirect(_page_of(obj))

    # --- looking ------------------------------------------------------------------------------

    def preview(self, request: HttpRequest, pk: int) -> HttpResponse:
        """GET: the letter as it is saved. POST: as the form stands, of which nothing is kept."""
        issue = self._opened(request, pk, to_change=request.method == "POST")
        query = request.POST if request.method == "POST" else request.GET
        follows = frozenset(query.getlist("follows"))
        if request.method == "POST":
            letter, problems = self._unsaved(request, issue, follows)
            if letter is None:
                return JsonResponse({"is_valid": False, "incomplete": "".join(problems[:1])})
            return JsonResponse(
                {
                    "is_valid": True,
                    "html": _in_colours(letter.html, query.get("look", "")),
                    "text": letter.text,
                    "problems": [[problem.is_blocking, problem.text] for problem in problems],
                }
            )
        return _as_page(_for_eyes(issue, follows), query.get("look", ""))

    def _unsaved(self, request, issue, follows) -> tuple[Letter | None, list]:
        """As if it had been saved: it is, and taken back at once. Pictures are not sent along.

        None where it cannot be saved, with what is not complete.
        """
        with transaction.atomic():
            form = self.get_form(request, issue, change=True)(request.POST, instance=issue)
            formsets, _inlines = self._create_formsets(request, issue, change=True)
            if not (form.is_valid() and all_valid(formsets)):
                transaction.set_rollback(True)
                written = [form, *(each for formset in formsets for each in formset)]
                return None, [text for each in written for text in _mistakes(each)]
            form.save()
            for formset in formsets:
                formset.save()
            result = _for_eyes(issue, follows), checking.problems(issue)
            transaction.set_rollback(True)
        return result

    def _opened(self, request: HttpRequest, pk: int, *, to_change: bool) -> Issue:
        issue = get_object_or_404(Issue, pk=pk)
        is_allowed = self.has_change_permission if to_change else self.has_view_permission
        if not is_allowed(request, issue):
            raise PermissionDenied
        return issue

    def _offers_page(self, request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
        return TemplateResponse(
            request,
            "admin/newsletter/issue/new.html",
            {**self.admin_site.each_context(request), "opts": self.opts, **context},
        )


def _topics(request: HttpRequest) -> list[Topic]:
    """Read once for a request, however many blocks ask."""
    if not hasattr(request, "newsletter_topics"):
        request.newsletter_topics = list(Topic.objects.all())
    return request.newsletter_topics


def _mistakes(form: forms.ModelForm) -> list[str]:
    """What is not complete, as `Heading: This field is required.`"""
    return [
        f"{form[name].label}: {text}" if name in form.fields else str(text)
        for name, texts in form.errors.items()
        for text in texts
    ]


def _page_of(issue: Issue) -> str:
    return reverse("admin:newsletter_issue_change", args=[issue.pk])


def _moment(request: HttpRequest) -> dt.datetime | None:
    """From when on staff want to look, as the page's own form wrote it."""
    given = request.POST if request.method == "POST" else request.GET
    try:
        moment = parse_datetime(given.get("since", ""))
        if moment and not is_aware(moment):
            moment = moment.replace(tzinfo=SiteSettings.load().zone)
        return moment and moment.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


def _for_eyes(issue: Issue, follows: frozenset[str]) -> Letter:
    """The letter as Ann would get it, whose links lead nowhere."""
    words = {"name": "Ann", "unsubscribe_url": "#", "preferences_url": "#", "web_url": "#"}
    return personal(skeleton(issue, language=issue.language, follows=follows), words)


def _in_colours(html: str, look: str) -> str:
    """Dark or light as asked, whatever this computer prefers."""
    return html.replace(DARK, "all" if look == "dark" else "not all")


def _as_page(letter: Letter, look: str) -> HttpResponse:
    if look == "text":
        response = HttpResponse(letter.text, content_type="text/plain; charset=utf-8")
    else:
        response = HttpResponse(_in_colours(letter.html, look))
    response["Content-Security-Policy"] = PREVIEW_POLICY
    response["X-Frame-Options"] = "SAMEORIGIN"
    return response
