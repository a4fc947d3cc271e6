"""Replies to one page, the form to leave one, and the way to report one.

No page sets a cookie or needs one: what stands under a city, a visit or an article is stored and
the same for all, so its form carries no token of a visitor and is exempt from Django's check.
"""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from sistercities.comments import moderating
from sistercities.comments.forms import ReplyForm, ReportForm
from sistercities.comments.models import SUBJECTS, Comment
from sistercities.shared.admission import Most
from sistercities.shared.cards import gather, newest_first
from sistercities.shared.headers import personal, stored_briefly

WITH_PROOF = Most(place=20, everywhere=200)
WITHOUT_PROOF = Most(place=3, everywhere=30)
LARGEST_KEY = 2**63 - 1
read_and_post = require_http_methods(["GET", "HEAD", "POST"])


@csrf_exempt
@read_and_post
def replies(request: HttpRequest, slug: str, kind: str) -> HttpResponse:
    """GET: the replies to one thing, 50 a page; `?before=` a key shows the older ones, `?sent=1`
    says thanks. POST: a reply from the foot of its page.

    422: something to put right, what was typed is kept. 429: too many for now. 409: closed.
    """
    subjects: Any = SUBJECTS[kind]._default_manager
    about = get_object_or_404(subjects.published(), slug=slug)
    if request.method != "POST":
        return stored_briefly(_page)(request, kind, about)
    if not about.takes_replies:
        return _page(request, kind, about, lost=request.POST.get("text", "")[:3000], status=409)
    form = ReplyForm(request.POST)
    if not form.is_valid():
        return _page(request, kind, about, form=form, status=422)
    if status := _admit(form, request, "reply"):
        return _page(request, kind, about, form=form, status=status)
    if not form.is_from_a_robot:
        moderating.leave(
            about=about,
            name=form.cleaned_data["name"],
            email=form.cleaned_data["email"],
            text=form.cleaned_data["text"],
        )
    return _thank(request.path)


def _page(
    request: HttpRequest,
    kind: str,
    about: Any,
    *,
    form: ReplyForm | None = None,
    lost: str = "",
    status: int = 200,
) -> HttpResponse:
    """`lost` is what was typed and cannot be taken: it is shown, to be copied."""
    before = request.GET.get("before", "")
    key = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None
    found = gather(about.comments.published().page(before=key).cards())["comment"]
    response = render(
        request,
        "comments/comment_list.html",
        {
            "about": about,
            "kind": kind,
            "comments": sorted(found, key=newest_first),
            "is_sent": "sent" in request.GET,
            "form": form,
            "lost": lost,
        },
        status=status,
    )
    return response if status == 200 else personal(response)


@csrf_exempt
@read_and_post
def report(request: HttpRequest, pk: int) -> HttpResponse:
    """GET asks why, POST tells staff. The reply stays until a person has looked."""
    rows = Comment.objects.published().select_related("city", "visit", "article")
    comment = get_object_or_404(rows, pk=min(pk, LARGEST_KEY))
    if not comment.about.is_public:
        raise Http404
    if request.method != "POST":
        return stored_briefly(_question)(request, comment, ReportForm())
    form = ReportForm(request.POST)
    if status := _admit(form, request, "report") if form.is_valid() else 422:
        return personal(_question(request, comment, form, status=status))
    if not form.is_from_a_robot:
        moderating.report(comment=comment, reason=form.cleaned_data["reason"])
    return _thank(request.path)


def _question(
    request: HttpRequest, comment: Comment, form: ReportForm, *, status: int = 200
) -> HttpResponse:
    context = {"comment": comment, "form": form, "is_sent": "sent" in request.GET}
    return render(request, "comments/report.html", context, status=status)


def _admit(form: ReplyForm | ReportForm, request: HttpRequest, action: str) -> int:
    return form.admit(request, action=action, with_proof=WITH_PROOF, without=WITHOUT_PROOF)


def _thank(path: str) -> HttpResponse:
    response = HttpResponseRedirect(f"{path}?sent=1", status=303)
    response["Cache-Control"] = "no-store"
    return response
