"""The clock: which work wakes up when. The work itself lives in the module that it names.

Rows are the truth; these jobs only look for rows that are due, so a run that was lost or came
twice changes nothing.
"""

from huey import crontab
from huey.contrib.djhuey import db_periodic_task

import donations.documents
import donations.reconciling
import donations.sync
from exchanges import releasing, sorting
from exchanges.tasks import build_archives, open_archives
from sistercities.news import feeds
from sistercities.newsletter import bounce_box
from sistercities.newsletter.tasks import send_letters
from sistercities.pages.tasks import read_documents
from sistercities.shared import mail, rendering, stored_files
from sistercities.shared.queue import wake
from sistercities.shared.tasks import try_avif


@db_periodic_task(crontab(minute="*"))
def settle_gifts_every_minute() -> None:
    donations.sync.sweep()


@db_periodic_task(crontab(minute="*"))
def set_receipts_every_minute() -> None:
    donations.documents.keep_fingerprints()


@db_periodic_task(crontab(hour="9", minute="40"))
def reconcile_gifts_every_night() -> None:
    donations.reconciling.every_night()


@db_periodic_task(crontab(minute="*"))
def send_mail_every_minute() -> None:
    mail.send_waiting()


@db_periodic_task(crontab(minute="*"))
def send_letters_every_minute() -> None:
    wake(send_letters)


@db_periodic_task(crontab(minute="*"))
def read_bounces_every_minute() -> None:
    bounce_box.poll_every_minute()


@db_periodic_task(crontab(minute="*"))
def keep_pictures_in_line_every_minute() -> None:
    stored_files.remove_discarded()
    releasing.settle()
    sorting.follow_zones()
    rendering.wake_renderer()
    wake(try_avif)
    wake(build_archives)
    wake(open_archives)


@db_periodic_task(crontab(minute="*"))
def read_documents_every_minute() -> None:
    wake(read_documents)


@db_periodic_task(crontab(minute="17"))
def read_feeds_every_hour() -> None:
    feeds.read_due_feeds()


@db_periodic_task(crontab(hour="10", minute="20"))
def keep_house_every_day() -> None:
    from django.core.management import call_command

    call_command("daily")
