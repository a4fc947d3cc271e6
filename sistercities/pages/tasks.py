"""Jobs of the pages. They only wake up work that rows describe."""

import threading

from django_tasks import task

from sistercities.pages import reading

READING = threading.Lock()


@task()
def read_documents() -> None:
    """One at a time in a worker."""
    if not READING.acquire(blocking=False):
        return
    try:
        reading.read_waiting()
    finally:
        READING.release()
