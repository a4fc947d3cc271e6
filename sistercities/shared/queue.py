"""Waking the worker. Rows hold the work, so a wake-up that is lost costs a minute."""

import logging

from django_tasks.base import Task

logger = logging.getLogger(__name__)


def wake(task: Task) -> None:
    """Has the job run soon. A queue that is down never fails the caller: the clock runs it too."""
    try:
        task.enqueue()
    except Exception:
        logger.exception("The task queue did not answer; the next minute's run will do the work")
