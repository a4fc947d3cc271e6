"""Runs one thing in several threads at the same moment, and leaves no connection open."""

import threading
from collections.abc import Callable
from typing import Any

from django.core.cache import caches
from django.db import connections


def at_once(count: int, work: Callable[[], Any]) -> list[Any]:
    """What `work` returned in each of `count` threads, in the order in which they ended."""
    gate = threading.Barrier(count)
    results: list[Any] = []

    def run() -> None:
        try:
            gate.wait(timeout=20)
            results.append(work())
        finally:
            connections.close_all()
            leave_cache()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def leave_cache() -> None:
    """Django's Redis cache keeps its sockets open when its thread ends."""
    for pool in getattr(getattr(caches["default"], "_cache", None), "_pools", {}).values():
        pool.disconnect()
