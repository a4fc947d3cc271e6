"""The style guide: for staff alone, and complete."""

import re

from django.contrib.auth import get_user_model

from sistercities.pages.styleguide import CHINESE, FOLDER, KAZAKH, LONG


def test_only_staff_see_the_style_guide(client, site):
    to_sign_in = "/admin/login/?next=/styleguide/"
    assert client.get("/styleguide/").headers["Location"] == to_sign_in
    client.force_login(get_user_model().objects.create_user("bob"))
    assert client.get("/styleguide/").headers["Location"] == to_sign_in
    client.force_login(get_user_model().objects.create_user("ann", is_staff=True))
    response = client.get("/styleguide/")
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "private, no-store"
    assert '<meta name="robots" content="noindex">' in response.text
    assert re.findall(r'<h3 id="c-(\w+)">', response.text) == sorted(
        path.stem for path in FOLDER.glob("*.html")
    )
    for words in (LONG, CHINESE, KAZAKH, "Colors", "invalid-feedback"):
        assert words in response.text
