"""Jobs of the newsletter. They only wake up work that rows describe."""

import threading

from django_tasks import task

from sistercities.newsletter import delivering, releasing
from sistercities.shared.queue import wake

DELIVERING = threading.Lock()


@task()
def send_letters() -> None:
    """One at a time in a worker, and not for long: gifts and other mail have their turn too."""
    if not DELIVERING.acquire(blocking=False):
        return
    try:
        releasing.settle()
        delivering.deliver(seconds=20)
    finally:
        DELIVERING.release()
    if delivering.is_waiting():
        wake(send_letters)
