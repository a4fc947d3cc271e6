"""Jobs of the shared part. They only wake up work that rows describe."""

from django_tasks import task

from sistercities.shared import mail


@task()
def send_waiting_mail() -> int:
    return mail.send_waiting()
