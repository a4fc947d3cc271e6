"""Text with headings and lists: the editor's field, and the one filter that cleans it."""

from typing import Any, cast

import nh3
from django.core.exceptions import ValidationError
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django_prose_editor.fields import ProseEditorField

EXTENSIONS = {
    "Bold": True,
    "Italic": True,
    "BulletList": True,
    "OrderedList": True,
    "ListItem": True,
    "Blockquote": True,
    "Heading": {"levels": [3, 4]},
    "Link": {"enableTarget": False},
    "HardBreak": True,
}
CLEANER_RULES = {
    "tags": {"p", "br", "strong", "em", "b", "i", "ul", "ol", "li", "blockquote", "h3", "h4", "a"}
    | {"sup", "span"},
    "attributes": {"a": {"href", "title"}, "span": {"lang"}, "p": {"lang"}, "ol": {"start"}},
    "url_schemes": {"http", "https", "mailto", "tel"},
    "link_rel": "noopener",
}
CLEANER = nh3.Cleaner(**cast(Any, CLEANER_RULES))


def clean_html(html: str) -> SafeString:
    """Only the tags that the editor makes; no script, style, event or foreign scheme survives."""
    return mark_safe(CLEANER.clean(html or ""))


def clean_page(html: str) -> SafeString:
    """As `clean_html`, for text right under a page's title: its headings go up one level."""
    cleaned = str(clean_html(html))
    for found, level in (("h3>", "h2>"), ("h4>", "h3>")):
        cleaned = cleaned.replace(f"<{found}", f"<{level}").replace(f"</{found}", f"</{level}")
    return mark_safe(cleaned)


def plain_text(html: str) -> str:
    """The words alone, for summaries, feeds and search."""
    spaced = (html or "").replace("</", " </").replace("<br", " <br")
    words = nh3.clean(spaced, tags=set())
    for entity, sign in (("&lt;", "<"), ("&gt;", ">"), ("&nbsp;", " "), ("&amp;", "&")):
        words = words.replace(entity, sign)
    return " ".join(words.split())


def refuse_skipped_heading(html: str) -> None:
    """A fourth-level heading needs a third-level one before it: readers by ear rely on it."""
    first_h4, first_h3 = html.find("<h4"), html.find("<h3")
    if first_h4 != -1 and (first_h3 == -1 or first_h4 < first_h3):
        raise ValidationError(_("Use a large heading before the first small one."))


class RichTextField(ProseEditorField):
    """The editor with our extensions. Cleaned on save whoever writes it, and again when shown."""

    default_validators = [refuse_skipped_heading]

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("blank", True)
        super().__init__(
            *args, **kwargs, extensions=EXTENSIONS, sanitize=lambda html: str(clean_html(html))
        )

    def pre_save(self, model_instance, add):
        html = str(clean_html(super().pre_save(model_instance, add)))
        setattr(model_instance, self.attname, "" if html == "<p></p>" else html)
        return getattr(model_instance, self.attname)
