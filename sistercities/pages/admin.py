"""Pages that stand alone and documents, for staff."""

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from sistercities.pages import filing, views, writing
from sistercities.pages.models import BoardMember, Document, Message, Page
from sistercities.shared import clock
from sistercities.shared.admin import PICTURE_SECTION, PublishableAdmin, thumbnail
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
    list_display = ("__str__", "kind", "year", "city", "on_file", "words")
    search_fields = ("title", "year")
    list_filter = ("kind", "status", "year", "city")
    list_select_related = ("city",)
    autocomplete_fields = ("city",)
    ordering = ("kind", "-year", "title")
    prepopulated_fields = {"slug": ("title", "year")}
    readonly_fields = ("on_file", "words")
    fieldsets = (
        (None, {"fields": ("kind", "title", "year", "city", "pdf", "on_file", "words")}),
        (_("Publishing"), {"fields": PublishableAdmin.publishing_fields}),
    )

    def get_urls(self):
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/pdf/", view(self.pdf), name="pages_document_pdf"),
            *super().get_urls(),
        ]

    def get_queryset(self, request):
        return super().get_queryset(request).defer("text")

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

    @admin.display(description=_("to search in"))
    def words(self, obj):
        if not obj.file:
            return "–"
        return (obj.read_problem or _("yes")) if obj.read_at else _("being read")

    @admin.display(description=_("on file"), ordering="size_bytes")
    def on_file(self, obj):
        if not obj.file:
            return "–"
        address = reverse("admin:pages_document_pdf", args=[obj.pk])
        return format_html('<a href="{}">PDF, {}</a>', address, obj.size)


@admin.register(BoardMember)
class BoardMemberAdmin(admin.ModelAdmin):
    list_display = (
        "name", "role", "since", "until", "agreed_to_be_named", "agreed_to_picture", "order",
        "shown_picture",
    )  # fmt: skip
    search_fields = ("name", "role", "about")
    list_filter = ("agreed_to_be_named", "agreed_to_picture", "until")
    list_select_related = ()
    ordering = ("order", "name")
    fieldsets = (
        (None, {"fields": ("name", "role", "about", ("since", "until"), "order")}),
        (
            _("Consent"),
            {
                "fields": ("agreed_to_be_named", "agreed_to_picture"),
                "description": _("Ask first: the page is open to everybody."),
            },
        ),
        (_("Picture"), {"fields": ("picture", "picture_alt", "picture_focus")}),
    )

    @admin.display(description=_("picture"))
    def shown_picture(self, obj):
        return thumbnail(obj)


class MessageForm(forms.ModelForm):
    """What is posted counts where it was changed by who had the form open, not by somebody else
    meanwhile (trust.md, Races).
    """

    is_answered = forms.BooleanField(
        label=_("This is answered"), required=False, show_hidden_initial=True
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["is_answered"].initial = self.instance.answered_at is not None


@admin.register(Message)
class MessageAdmin(admin.ModelAdmin):
    """What people wrote to us. It is answered by mail; here stands that it was."""

    list_display = ("name", "about", "written_at", "answered_at", "answered_by")
    search_fields = ("name", "email", "about", "text")
    list_filter = (("answered_at", admin.EmptyFieldListFilter), "written_at")
    list_select_related = ("answered_by",)
    ordering = ("-pk",)
    date_hierarchy = "written_at"
    form = MessageForm
    readonly_fields = (
        "name", "answer_to", "about", "text", "written_at", "answered_at", "answered_by",
    )  # fmt: skip
    fields = (*readonly_fields[:5], "is_answered", *readonly_fields[5:])
    actions = ["mark_answered", "mark_open"]

    def has_add_permission(self, request):
        return False

    def save_model(self, request, obj, form, change):
        rows = Message.objects.filter(pk=obj.pk)
        if "is_answered" not in form.changed_data:
            return
        if form.cleaned_data["is_answered"]:
            writing.mark_answered(rows, by=request.user)
        else:
            writing.mark_open(rows)

    def delete_model(self, request, obj):
        writing.delete(Message.objects.filter(pk=obj.pk))

    def delete_queryset(self, request, queryset):
        writing.delete(queryset)

    @admin.display(description=_("mail address"))
    def answer_to(self, obj):
        """Opens staff's own mail program with the subject filled in."""
        subject = urlencode({"subject": f"Re: {obj.about}"}).replace("+", "%20")
        return format_html('<a href="mailto:{}?{}">{}</a>', obj.email, subject, obj.email)

    @admin.action(description=_("They are answered"), permissions=["change"])
    def mark_answered(self, request, queryset):
        count = writing.mark_answered(queryset, by=request.user)
        text = ngettext("%d marked as answered.", "%d marked as answered.", count)
        self.message_user(request, text % count)

    @admin.action(description=_("Undo: they are not answered yet"), permissions=["change"])
    def mark_open(self, request, queryset):
        count = writing.mark_open(queryset)
        self.message_user(request, ngettext("%d is open.", "%d are open.", count) % count)
