"""The site as a server runs it, in a folder of its own: settings of production, granian, worker."""

import contextlib
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from sistercities.management.commands.run import MANAGE, stop

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
WORKER = [*MANAGE, "run_huey", "--workers", "2", "--quiet"]


def environment(folder: Path) -> dict[str, str]:
    """Production on SQLite and on this machine alone. Nothing comes from the caller's settings."""
    folder.mkdir(parents=True, exist_ok=True)
    names = ("PATH", "HOME", "LANG", "BENCH_POSTGRESQL")
    keep = {name: os.environ[name] for name in names if name in os.environ}
    return keep | {
        "VAR_DIR": str(folder),
        "DEBUG": "off",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "ALLOWED_HOSTS": HOST,
        "SITE_URL": f"https://{HOST}",
        "HTTPS_REDIRECT": "off",
        "EMAIL_URL": f"smtp://{HOST}:9",
        "DEFAULT_FROM_EMAIL": "hello@example.org",
        "STRIPE_SECRET_KEY": f"sk_live_{secrets.token_hex(12)}",
        "STRIPE_WEBHOOK_SECRET": f"whsec_{secrets.token_hex(12)}",
        "LOG_LEVEL": "ERROR",
        "DJANGO_SETTINGS_MODULE": "sistercities.settings",
    }


def open_site(folder: Path) -> Path:
    """Readies this process for Django and its `VAR_DIR` with the demo; gives that folder.

    The demo is loaded once a run, into `folder`, and copied; into another database than SQLite's
    it is loaded at once.
    """
    var, demo = Path(os.environ["VAR_DIR"]), folder / "demo"
    if "DATABASE_URL" in os.environ:
        load_demo(dict(os.environ))
    else:
        if not demo.exists():
            begun = folder / "demo-begun"
            load_demo(environment(begun))
            begun.rename(demo)
        shutil.copytree(demo, var, dirs_exist_ok=True)
    import django

    django.setup()
    return var


def load_demo(environment: dict[str, str]) -> None:
    for command in ("migrate", "createcachetable", "demo", "collectstatic --noinput"):
        subprocess.run(
            [*MANAGE, *command.split()],
            cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip


@contextlib.contextmanager
def postgresql() -> Iterator[str]:
    """The address of an empty database of its own, on the server that `BENCH_POSTGRESQL` names,
    or "" where none answers.
    """
    import psycopg

    home = os.environ.get("BENCH_POSTGRESQL", f"postgres://postgres@{HOST}:5432/postgres")
    name = f"sistercities_bench_{secrets.token_hex(4)}"
    try:
        connection = psycopg.connect(home, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError:
        yield ""
        return
    with connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield f"{home.rpartition('/')[0]}/{name}"
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextlib.contextmanager
def worker() -> Iterator[subprocess.Popen]:
    process = subprocess.Popen(WORKER, cwd=ROOT, start_new_session=True)
    try:
        yield process
    finally:
        stop([process])


@contextlib.contextmanager
def server() -> Iterator[int]:
    """granian as docs/operating.md starts it; gives its port."""
    with serving("sistercities.wsgi:application") as (port, _process):
        yield port


@contextlib.contextmanager
def serving(application: str, **environment: str) -> Iterator[tuple[int, subprocess.Popen]]:
    """The same for any application; gives its port and its process, which leads a session."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    command = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi"),
        *("--host", HOST, "--port", str(port), "--log-level", "error"),
        *("--workers", "1", "--blocking-threads", "8", application),
    ]
    process = subprocess.Popen(
        command, cwd=ROOT, start_new_session=True, env={**os.environ, **environment}
    )
    try:
        wait_for(lambda: _answers(port), seconds=60)
        yield port, process
    finally:
        stop([process])


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/healthz/", timeout=5):
            return True
    except OSError:
        return False


def wait_for(condition: Callable[[], bool], *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("It did not happen in time.")
        time.sleep(0.1)


def used(process: subprocess.Popen) -> float:
    """Seconds of a processor that the processes of its session have used until now."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[3]) == process.pid:
                ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def peak_memory(process: subprocess.Popen) -> float:
    """The most memory that the process ever held, in MB.

    From /proc: `getrusage` would count what this process held when it started that one.
    """
    status = Path(f"/proc/{process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found
    return int(found[1]) / 1024
