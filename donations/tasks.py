"""Jobs of the gifts. They only wake up work that rows describe."""

from django_tasks import task

from donations import webhooks


@task()
def process_event(pk: int) -> bool:
    return webhooks.process(pk)
