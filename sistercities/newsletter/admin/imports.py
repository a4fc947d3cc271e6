"""People from another list: choose the file, look at what it would do, take it in."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from sistercities.newsletter import importing
from sistercities.newsletter.models import ListImport
from sistercities.shared.admin import ReadOnlyAdmin

SHOWN = 300


class ImportForm(forms.ModelForm):
    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV, as Mailchimp exports it or with a column “Email” (and “Name”)."),
    )

    class Meta:
        model = ListImport
        fields = ("basis",)
        widgets = {
            # A browser that refuses what is too short keeps the file that was chosen.
            "basis": forms.Textarea(
                attrs={"rows": 3, "cols": 70, "minlength": importing.SHORTEST_BASIS}
            )
        }
        error_messages = {"basis": {"min_length": _("Say when and how they asked for the letter.")}}

    def clean_file(self):
        file = self.cleaned_data["file"]
        if file.size > importing.MOST_BYTES:
            raise forms.ValidationError(_("This file is larger than 10 MB. Split it into several."))
        try:
            self.instance.data = file.read()
            importing.examine(self.instance.data)
        except importing.Unreadable as refused:
            raise forms.ValidationError(str(refused)) from None
        self.instance.file_name = file.name[:200]
        return file


@admin.register(ListImport)
class ListImportAdmin(ReadOnlyAdmin):
    """The files that were taken in, each with who did it and why they may be written to."""

    list_display = ("file_name", "by", "created_at", "imported_at", "new", "known", "refused", "go")
    search_fields = ("file_name", "basis")
    list_filter = ("imported_at",)
    list_select_related = ("by",)
    ordering = ("-created_at",)
    fields = (
        "file_name", "basis", "by", "created_at", "imported_at", "new", "known", "refused",
    )  # fmt: skip

    def has_add_permission(self, request):
        return request.user.has_perm("newsletter.add_listimport")

    def get_urls(self):
        look = self.admin_site.admin_view(self.preview)
        return [
            path("<int:pk>/preview/", look, name="newsletter_listimport_preview"),
            *super().get_urls(),
        ]

    @admin.display(description=_("next step"))
    def go(self, obj):
        if obj.imported_at:
            return _("done")
        address = reverse("admin:newsletter_listimport_preview", args=[obj.pk])
        return format_html('<a href="{}">{}</a>', address, _("Look and take in"))

    def add_view(self, request, form_url="", extra_context=None):
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = ImportForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            form.instance.by = request.user
            chosen = form.save()
            return redirect("admin:newsletter_listimport_preview", chosen.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Take in people from another list"),
            "opts": self.model._meta,
            "form": form,
        }
        return TemplateResponse(request, "admin/newsletter/listimport/add.html", context)

    def preview(self, request, pk):
        """GET shows what would happen, from the file as it is now; POST takes it in."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        chosen = get_object_or_404(ListImport, pk=pk)
        back = redirect("admin:newsletter_listimport_changelist")
        if chosen.imported_at:
            self.message_user(request, _("This file was taken in before."), messages.WARNING)
            return back
        try:
            if request.method == "POST":
                done = importing.take_in_once(chosen)
                text = ngettext("%d person taken in.", "%d people taken in.", done.new)
                self.message_user(request, text % done.new, messages.SUCCESS)
                self.log_addition(request, done, [{"added": {}}])
                return back
            preview = importing.examine(bytes(chosen.data))
        except importing.Unreadable as refused:
            self.message_user(request, str(refused), messages.ERROR)
            return back
        context = {
            **self.admin_site.each_context(request),
            "title": _("What this file would do"),
            "opts": self.model._meta,
            "chosen": chosen,
            "preview": preview,
            "new": preview.new[:10],
            "others": [row for row in preview.rows if row.reason][:SHOWN],
            "more": max(0, sum(bool(row.reason) for row in preview.rows) - SHOWN),
        }
        return TemplateResponse(request, "admin/newsletter/listimport/preview.html", context)
