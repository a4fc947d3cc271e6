"""Jobs of the exchanges. They only wake up work that rows describe."""

import threading

from django_tasks import task

from exchanges import downloading, opening, releasing

RELEASING = threading.Lock()
BUILDING = threading.Lock()
OPENING = threading.Lock()


@task()
def settle_photos() -> None:
    """One at a time in a worker; whoever comes meanwhile finds the work done in a minute."""
    with RELEASING:
        releasing.settle()


@task()
def build_archives() -> None:
    """One at a time in a worker: a ZIP takes long, and other work shall not wait behind two."""
    if BUILDING.acquire(blocking=False):
        try:
            downloading.build_waiting()
        finally:
            BUILDING.release()


@task()
def open_archives() -> None:
    """One at a time in a worker, for the same reason."""
    if OPENING.acquire(blocking=False):
        try:
            opening.open_waiting()
        finally:
            OPENING.release()
