"""Jobs of the shared part. They only wake up work that rows describe."""

import threading

from django_tasks import task

from sistercities.shared import compressing, mail, rendering
from sistercities.shared.memory import give_back_large_pieces
from sistercities.shared.queue import wake

RENDERING = threading.Lock()


@task()
def send_waiting_mail() -> int:
    return mail.send_waiting()


@task()
def render_pictures() -> None:
    """One at a time in a worker, and not for long, so that mail and gifts have their turn too."""
    if not RENDERING.acquire(blocking=False):
        return
    give_back_large_pieces()
    try:
        rendering.render_waiting(seconds=20)
    finally:
        RENDERING.release()
    if rendering.is_waiting():
        rendering.wake_renderer()


@task()
def try_avif() -> None:
    """Never beside a rendering, since both need memory; whoever waits for one goes first."""
    if not RENDERING.acquire(blocking=False):
        return
    give_back_large_pieces()
    try:
        compressing.try_waiting(seconds=20)
    finally:
        RENDERING.release()
    if rendering.is_waiting():
        rendering.wake_renderer()
    elif compressing.is_waiting():
        wake(try_avif)
