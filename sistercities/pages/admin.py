"""Pages that stand alone and documents, for staff."""

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from sistercities.pages import filing, views
from sistercities.pages.models import Document, Page
from sistercities.shared import clock
from sistercities.shared.admin import PICTURE_SECTION, PublishableAdmin
from sistercities.shared.headers import personal


@admin.register(Page)
class PageAdmin(PublishableAdmin):
    list_display = ("title", "slug", "menu", "order")
    search_fields = ("title", "lede", "body")
    list_filter = ("status", "menu")
    list_select_related = ()
    ordering = ("order", "title")
    prepopulated_fields = {"slug": ("title",)}
    fieldsets = (
        (None, {"fields": ("title", "lede", "body")}),
        PICTURE_SECTION,
        (_("Footer"), {"fields": ("menu", "order")}),
        (_("Publishing"), {"fields": PublishableAdmin.publishing_fields}),
    )


class DocumentForm(forms.ModelForm):
    pdf = forms.FileField(
        label=_("PDF"), required=False, widget=forms.FileInput(attrs={"accept": ".pdf"}),
        help_text=_("At most 20 MB. A new file takes the place of the old one at once. Black out "
                    "what is private first; of donors, Schedule B names are not published."),
    )  # fmt: skip

    def clean_pdf(self):
        pdf = self.cleaned_data["pdf"]
        if pdf:
            filing.check_pdf(pdf)
        elif not self.instance.file:
            raise forms.ValidationError(_("Please choose the PDF."))
        return pdf


@admin.register(Document)
class DocumentAdmin(PublishableAdmin):
    """The list says what the law asks for and is not published yet (giving.md D30)."""

    change_list_template = "admin/pages/document/change_list.html"
    form = DocumentForm
    list_display = ("__str__", "kind", "year", "city", "on_file")
    search_fields = ("title", "year")
    list_filter = ("kind", "status", "year", "city")
    list_select_related = ("city",)
    autocomplete_fields = ("city",)
    ordering = ("kind", "-year", "title")
    prepopulated_fields = {"slug": ("title", "year")}
    readonly_fields = ("on_file",)
    fieldsets = (
        (None, {"fields": ("kind", "title", "year", "city", "pdf", "on_file")}),
        (_("Publishing"), {"fields": PublishableAdmin.publishing_fields}),
    )

    def get_urls(self):
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/pdf/", view(self.pdf), name="pages_document_pdf"),
            *super().get_urls(),
        ]

    def pdf(self, request, pk):
        """What is on file, before it is published too."""
        document = get_object_or_404(Document, pk=pk)
        if not self.has_view_permission(request, document):
            raise PermissionDenied
        return personal(views.pdf_of(request, document))

    def save_model(self, request, obj, form, change):
        filing.file(document=obj, upload=form.cleaned_data["pdf"])

    def changelist_view(self, request, extra_context=None):
        extra = {"missing": list(filing.missing(clock.today()))}
        return super().changelist_view(request, (extra_context or {}) | extra)

    @admin.display(description=_("on file"), ordering="size_bytes")
    def on_file(self, obj):
        if not obj.file:
            return "–"
        address = reverse("admin:pages_document_pdf", args=[obj.pk])
        return format_html('<a href="{}">PDF, {}</a>', address, obj.size)
