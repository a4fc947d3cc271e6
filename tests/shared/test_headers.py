"""What every answer says beside its content."""

import pytest
from django.http import HttpResponse

from sistercities.shared.headers import personal

POLICY = {
    "default-src": "'self'",
    "img-src": "'self'",
    "style-src": "'self'",
    "script-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}


def policy(response: HttpResponse) -> dict[str, str]:
    parts = response["Content-Security-Policy"].split(";")
    return dict(part.strip().split(" ", 1) for part in parts if part.strip())


@pytest.mark.parametrize(
    "path", ["/search/", "/nothing/", "/robots.txt", "/healthz/", "/media/a.webp"]
)
def test_every_public_answer_is_guarded(client, site, path):
    response = client.get(path)
    found = policy(response)
    assert {name: found[name] for name in POLICY} == POLICY
    assert found["form-action"].startswith("'self' https://checkout.stripe.com")
    assert "unsafe" not in response["Content-Security-Policy"]
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"
    assert response["Permissions-Policy"] == "camera=(), geolocation=(), microphone=()"


@pytest.mark.parametrize("path", ["/admin/", "/admin/login/", "/admin/pages/page/add/"])
def test_staff_pages_are_stored_nowhere(admin_client, site, path):
    response = admin_client.get(path)
    assert response["Cache-Control"] == "private, no-store"
    assert response["X-Robots-Tag"] == "noindex, nofollow"
    found = policy(response)
    assert found["default-src"] == found["form-action"] == "'self'"
    assert found["frame-ancestors"] == found["object-src"] == "'none'"
    assert "unsafe" not in found["script-src"]


def test_the_text_editor_of_the_staff_gets_the_nonce_of_its_answer(admin_client, site):
    response = admin_client.get("/admin/pages/page/add/")
    allowed = policy(response)["script-src"].split("'nonce-")[1].rstrip("'")
    page = response.content.decode()
    assert f'nonce="{allowed}"' in page
    again = policy(admin_client.get("/admin/pages/page/add/"))["script-src"]
    assert allowed not in again


def test_a_personal_page_is_told_to_nobody():
    response = personal(HttpResponse())
    assert dict(response.items()) | {"Content-Type": ""} == {
        "Content-Type": "",
        "Cache-Control": "private, no-store",
        "X-Robots-Tag": "noindex, nofollow",
        "Referrer-Policy": "no-referrer",
    }


def test_a_personal_page_with_a_guarded_form_is_told_to_us_alone():
    assert personal(HttpResponse(), referrer="same-origin")["Referrer-Policy"] == "same-origin"


def test_production_speaks_https_and_marks_its_cookies(tmp_path):
    """The settings of production, read in a process of their own."""
    import json
    import os
    import subprocess
    import sys

    from django.conf import settings

    from tests.shared.test_environment import PRODUCTION

    names = [
        "SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS", "SECURE_HSTS_INCLUDE_SUBDOMAINS",
        "SECURE_HSTS_PRELOAD", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE",
        "SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME", "SESSION_COOKIE_HTTPONLY",
        "SESSION_COOKIE_SAMESITE", "SESSION_COOKIE_DOMAIN", "SESSION_COOKIE_PATH", "DEBUG",
    ]  # fmt: skip
    code = (
        "import json; from django.conf import settings; "
        f"print(json.dumps({{n: getattr(settings, n) for n in {names!r}}}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=settings.BASE_DIR, check=True, capture_output=True,
        text=True, timeout=60,
        env={
            **PRODUCTION, "PATH": os.environ["PATH"], "VAR_DIR": str(tmp_path),
            "DJANGO_SETTINGS_MODULE": "sistercities.settings",
        },
    )  # fmt: skip
    assert json.loads(done.stdout) == {
        "SECURE_SSL_REDIRECT": True,
        "SECURE_HSTS_SECONDS": 63072000,
        "SECURE_HSTS_INCLUDE_SUBDOMAINS": True,
        "SECURE_HSTS_PRELOAD": True,
        "SESSION_COOKIE_SECURE": True,
        "CSRF_COOKIE_SECURE": True,
        "SESSION_COOKIE_NAME": "__Host-sessionid",
        "CSRF_COOKIE_NAME": "__Host-csrftoken",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_DOMAIN": None,
        "SESSION_COOKIE_PATH": "/",
        "DEBUG": False,
    }
