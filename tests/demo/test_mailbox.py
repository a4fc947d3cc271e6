import pytest
from django.core.mail import EmailMessage, get_connection

pytestmark = pytest.mark.django_db


@pytest.fixture
def mail_folder(settings, tmp_path):
    settings.EMAIL_FILE_PATH = tmp_path / "mail"
    connection = get_connection("django.core.mail.backends.filebased.EmailBackend")
    connection.send_messages(
        [
            EmailMessage(
                "Please confirm", "Open https://example.org/a/b/ now", to=["a@example.org"]
            ),
            EmailMessage("<b>Қызылорда</b>", "锦州 & <script>", to=["b@example.org"]),
        ]
    )
    return settings.EMAIL_FILE_PATH


def test_the_mailbox_shows_what_was_sent_with_links(client, site, settings, mail_folder):
    settings.DEBUG = True
    text = client.get("/_mail/").content.decode()
    assert "Please confirm" in text
    assert '<a href="https://example.org/a/b/">https://example.org/a/b/</a>' in text
    assert "锦州 &amp; &lt;script&gt;" in text
    assert "&lt;b&gt;Қызылорда&lt;/b&gt;" in text


def test_an_empty_mailbox_says_so(client, site, settings, tmp_path):
    settings.DEBUG, settings.EMAIL_FILE_PATH = True, tmp_path / "none"
    assert "No mail yet." in client.get("/_mail/").content.decode()


def test_nobody_reads_mail_without_debug(client, site, mail_folder):
    assert client.get("/_mail/").status_code == 404
