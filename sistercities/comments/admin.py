"""How staff read replies, publish or reject them, and answer."""

from collections.abc import Callable

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.utils.html import format_html
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from sistercities.comments import moderating
from sistercities.comments.models import Comment

STEPS: dict[str, Callable[..., bool]] = {
    Comment.State.PUBLISHED: moderating.publish,
    Comment.State.REJECTED: moderating.reject,
    Comment.State.WAITING: moderating.put_back,
}


class CommentForm(forms.ModelForm):
    """Nobody undoes with an open form what somebody else decided meanwhile (trust.md, Races)."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.initial["seen"] = self.instance.state

    def clean(self):
        super().clean()
        if self.cleaned_data["seen"] not in {"", self.initial["seen"]}:
            state = Comment.State(self.initial["seen"]).label
            said = _("Somebody else has decided meanwhile: this reply is now “%s”. Open it again.")
            raise ValidationError(said % state)


@admin.register(Comment)
class CommentAdmin(admin.ModelAdmin):
    """A reply is the reader's: its words are published, rejected or answered, never changed."""

    form = CommentForm
    list_display = ("name", "excerpt", "page", "state", "written_at", "reported_at")
    search_fields = ("name", "text", "email", "=pk")
    list_filter = (
        "state", ("reported_at", admin.EmptyFieldListFilter), "written_at", "city",
    )  # fmt: skip
    list_select_related = ("city", "visit", "article")
    ordering = ("-state", "-pk")  # waiting, rejected, published
    fieldsets = (
        (_("What the reader wrote"), {"fields": ("page", "name", "email", "text", "written_at")}),
        (_("What you do"), {"fields": ("state", "answer", "seen")}),
        (_("Report"), {"fields": ("reported_at", "report")}),
    )
    readonly_fields = ("page", "name", "email", "text", "written_at", "reported_at", "report")
    radio_fields = {"state": admin.HORIZONTAL}
    actions = ["publish", "reject", "put_back", "settle"]

    def has_add_permission(self, request):
        return False

    def save_model(self, request, obj, form, change):
        """The answer is saved as it is; the state takes the same step as an action."""
        obj.save(update_fields=["answer"])
        if "state" in form.changed_data:
            STEPS[obj.state](comment=obj)

    def view_on_site(self, obj):
        return obj.get_absolute_url() if obj.state == Comment.State.PUBLISHED else None

    @admin.display(description=_("reply"))
    def excerpt(self, obj):
        return Truncator(obj.text).chars(120)

    @admin.display(description=_("about"))
    def page(self, obj):
        return format_html('<a href="{}">{}</a>', obj.about.get_absolute_url(), obj.about)

    @admin.action(description=_("Publish the chosen replies"), permissions=["change"])
    def publish(self, request, queryset):
        count = self._step(request, queryset, moderating.publish, _("published"))
        self.message_user(request, ngettext("%d published.", "%d published.", count) % count)

    @admin.action(description=_("Reject the chosen replies"), permissions=["change"])
    def reject(self, request, queryset):
        count = self._step(request, queryset, moderating.reject, _("rejected"))
        text = ngettext(
            "%d rejected. It is deleted in 30 days; until then you can put it back.",
            "%d rejected. They are deleted in 30 days; until then you can put them back.",
            count,
        )
        self.message_user(request, text % count)

    @admin.action(description=_("Undo: have them wait again"), permissions=["change"])
    def put_back(self, request, queryset):
        count = self._step(request, queryset, moderating.put_back, _("put back"))
        self.message_user(request, ngettext("%d waits again.", "%d wait again.", count) % count)

    @admin.action(description=_("Keep them: the report is settled"), permissions=["change"])
    def settle(self, request, queryset):
        count = self._step(request, queryset, moderating.settle, _("report settled"))
        text = ngettext("%d report settled.", "%d reports settled.", count)
        self.message_user(request, text % count)

    def _step(self, request, queryset, step, said):
        count = 0
        for comment in queryset.select_related("city", "visit", "article").order_by("pk"):
            if step(comment=comment):
                self.log_change(request, comment, str(said))
                count += 1
        return count
