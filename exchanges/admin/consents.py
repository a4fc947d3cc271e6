"""How staff record guardians' consents and take them back."""

import datetime as dt
from typing import cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.files.storage import storages
from django.db import transaction
from django.db.models import Count
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from exchanges import consenting
from exchanges.models import GuardianConsent
from sistercities.shared import clock
from sistercities.shared.stored_files import PRIVATE

SOON = dt.timedelta(days=20)
PHOTOS_SHOWN = 60


class ScanOnFile:
    """What the form's file field shows of the scan that is there already."""

    def __init__(self, consent: GuardianConsent) -> None:
        self.url = reverse("admin:exchanges_guardianconsent_evidence", args=[consent.pk])

    def __str__(self) -> str:
        return str(_("the scan on file"))


class ConsentForm(forms.ModelForm):
    scan = forms.FileField(
        label=_("Scan"), required=False,
        help_text=_("PDF, JPEG, PNG, HEIC or WebP, at most 10 MB. Only staff can open it."),
    )  # fmt: skip

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.evidence:
            self.initial["scan"] = ScanOnFile(self.instance)

    def clean_scan(self):
        scan = self.cleaned_data["scan"]
        if scan and not isinstance(scan, ScanOnFile):
            consenting.suffix_of(scan, size=scan.size)
        return scan


class WithdrawalForm(forms.Form):
    note = forms.CharField(
        label=_("Why, or how you were told"), required=False, max_length=250,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )  # fmt: skip


class StateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request, model_admin):
        return [
            ("in-force", _("In force")),
            ("soon", _("Ends within 20 days")),
            ("over", _("Ended")),
            ("withdrawn", _("Taken back")),
        ]

    def queryset(self, request, queryset):
        today = clock.today()
        standing = queryset.filter(withdrawn_at=None)
        match self.value():
            case "in-force":
                return standing.exclude(expires_on__lt=today)
            case "soon":
                return standing.filter(expires_on__range=(today, today + SOON))
            case "over":
                return standing.filter(expires_on__lt=today)
            case "withdrawn":
                return queryset.exclude(withdrawn_at=None)
        return queryset


@admin.register(GuardianConsent)
class GuardianConsentAdmin(admin.ModelAdmin):
    """A consent that was taken back stays as it is: a record of what was agreed to and when."""

    form = ConsentForm
    list_display = (
        "child", "guardian", "given_on", "expires_on", "shown_scopes", "shown_state",
        "photo_count",
    )  # fmt: skip
    search_fields = ("child", "guardian", "evidence_note")
    list_filter = (StateFilter, "for_web", "for_print", "for_social", "for_newsletter")
    list_select_related = ()
    ordering = ("-given_on", "-pk")
    fieldsets = (
        (None, {"fields": ("child", "guardian", ("given_on", "expires_on"))}),
        (
            _("What the guardian agreed to"),
            {"fields": (("for_web", "for_print", "for_social", "for_newsletter"),)},
        ),
        (_("Evidence"), {"fields": ("evidence_note", "scan")}),
        (_("Record"), {"fields": ("shown_state", "shown_record", "shown_photos")}),
    )
    readonly_fields = ("shown_state", "shown_record", "shown_photos")

    def get_urls(self):
        view = self.admin_site.admin_view
        return [
            path(
                "<int:pk>/evidence/", view(self.evidence),
                name="exchanges_guardianconsent_evidence",
            ),
            path(
                "<int:pk>/withdraw/", view(self.withdraw),
                name="exchanges_guardianconsent_withdraw",
            ),
            *super().get_urls(),
        ]  # fmt: skip

    def get_queryset(self, request):
        consents = super().get_queryset(request).select_related("recorded_by", "withdrawn_by")
        return consents.annotate(photo_count=Count("photos"))

    def has_change_permission(self, request, obj=None):
        return super().has_change_permission(request, obj) and not (obj and obj.withdrawn_at)

    def has_delete_permission(self, request, obj=None):
        """What a photo was shown for is a record; only a slip of the pen can be deleted."""
        is_record = obj and (obj.withdrawn_at or obj.photos.exists() or obj.batches.exists())
        return super().has_delete_permission(request, obj) and not is_record

    def get_actions(self, request):
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)  # it would not ask about each of them
        return actions

    def get_fieldsets(self, request, obj=None):
        if obj is None or self.has_change_permission(request, obj):
            return super().get_fieldsets(request, obj)
        return [
            (name, {"fields": ["shown_scan" if f == "scan" else f for f in block["fields"]]})
            for name, block in self.fieldsets
        ]

    def get_readonly_fields(self, request, obj=None):
        return (*self.readonly_fields, "shown_scan")

    def save_model(self, request, obj, form, change):
        scan = form.cleaned_data["scan"]
        is_new = scan and not isinstance(scan, ScanOnFile)
        consenting.record(
            consent=obj,
            by=request.user,
            evidence=scan if is_new else None,
            without_evidence=scan is False,  # the form's box "Clear"
        )

    def evidence(self, request: HttpRequest, pk: int) -> FileResponse:
        """The scan, to be saved and never shown by the browser itself."""
        consent = get_object_or_404(GuardianConsent, pk=pk)
        if not self.has_view_permission(request, consent):
            raise PermissionDenied
        suffix = consent.evidence[consent.evidence.rfind(".") :]
        try:
            file = storages[PRIVATE].open(consent.evidence) if consent.evidence else None
        except FileNotFoundError:
            file = None
        if file is None:
            raise Http404
        return FileResponse(
            file,
            content_type=consenting.CONTENT_TYPES[suffix],
            as_attachment=True,
            filename=f"consent-{pk}{suffix}",
        )

    def withdraw(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks first and says what it reaches; POST acts."""
        consent = get_object_or_404(GuardianConsent, pk=pk)
        back = redirect("admin:exchanges_guardianconsent_change", pk)
        if not super().has_change_permission(request, consent):
            raise PermissionDenied
        if consent.withdrawn_at:
            self.message_user(request, _("It was taken back already."), messages.WARNING)
            return back
        form = WithdrawalForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            note = form.cleaned_data["note"]
            with transaction.atomic():
                by = cast(User, request.user)  # nobody else comes through `admin_view`
                count = consenting.withdraw(consent=consent, by=by, note=note)
                self.log_change(request, consent, f"{_('Taken back.')} {note}".strip())
            text = ngettext(
                "Taken back. %d photo is hidden now.", "Taken back. %d photos are hidden now.",
                count,
            )  # fmt: skip
            self.message_user(request, text % count)
            return back
        reached = consenting.reached(consent)
        return TemplateResponse(
            request,
            "admin/exchanges/guardianconsent/withdraw.html",
            {
                **self.admin_site.each_context(request),
                "title": _("Take back: %s") % consent,
                "opts": self.opts,
                "consent": consent,
                "form": form,
                "photo_count": reached.count(),
                "gallery_count": reached.values("gallery").distinct().count(),
            },
        )

    @admin.display(description=_("agreed to"))
    def shown_scopes(self, obj):
        scopes = [field for field in self.opts.fields if field.name.startswith("for_")]
        return ", ".join(str(scope.verbose_name) for scope in scopes if getattr(obj, scope.name))

    @admin.display(description=_("state"))
    def shown_state(self, obj):
        if obj.pk is None:
            return "–"
        if obj.withdrawn_at:
            return _("Taken back")
        days = (obj.expires_on - clock.today()).days if obj.expires_on else None
        if days is None or days > SOON.days:
            return _("In force")
        if days < 0:
            return _("Ended")
        return ngettext("Ends in %d day", "Ends in %d days", days) % days if days else _("Last day")

    @admin.display(description=_("photos"), ordering="photo_count")
    def photo_count(self, obj):
        return obj.photo_count

    @admin.display(description=_("scan"))
    def shown_scan(self, obj):
        if not obj.evidence:
            return "–"
        scan = ScanOnFile(obj)
        return format_html('<a href="{}">{}</a>', scan.url, scan)

    @admin.display(description=_("who and when"))
    def shown_record(self, obj):
        return render_to_string("admin/exchanges/guardianconsent/record.html", {"consent": obj})

    @admin.display(description=_("photos it covers"))
    def shown_photos(self, obj):
        if obj.pk is None:
            return _("Save it first. Then choose it in the form of each photo or of a batch.")
        photos = obj.photos.kept().order_by("gallery", "order", "pk")
        return render_to_string(
            "admin/exchanges/guardianconsent/photos.html",
            {
                "consent": obj,
                "photos": photos.select_related("gallery")[:PHOTOS_SHOWN],
                "more": max(0, photos.count() - PHOTOS_SHOWN),
            },
        )
