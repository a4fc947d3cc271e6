"""Jobs of the news. They only wake up work that rows describe."""

from django_tasks import task

from sistercities.news import feeds


@task()
def read_due_feeds() -> int:
    return feeds.read_due_feeds()
