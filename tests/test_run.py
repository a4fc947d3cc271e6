"""`make run` as a newcomer meets it: real processes, real queue, Ctrl-C."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests import migrated

# With many others, so that it begins early: alone at the end, everybody would wait for it.
pytestmark = pytest.mark.xdist_group("demo")
ROOT = Path(__file__).resolve().parent.parent
# A shell starts what it has in the background deaf to Ctrl-C: `make test &` would end there.
HEARING = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); "
    "os.execv(sys.argv[1], sys.argv[1:])"
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(condition, *, seconds: float = 60.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.2)
    raise AssertionError("It did not happen in time.")


def page(port: int, path: str) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.read().decode()
    except (urllib.error.URLError, ConnectionError):
        return ""


@pytest.fixture
def running(tmp_path, kept_folder):
    """The site on a free port with a folder of its own, and how to start it once more. Its tables
    are there, since to make them takes long; the demo is not.
    """
    (tmp_path / "var").mkdir()
    shutil.copyfile(migrated.sqlite_file(kept_folder), tmp_path / "var" / "site.sqlite3")
    port, sandbox_port = free_port(), free_port()
    keep = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment = {
        **keep, "DEBUG": "on", "VAR_DIR": str(tmp_path / "var"), "SANDBOX_PORT": str(sandbox_port),
        "PROOF_OF_WORK": "off",
    }  # fmt: skip
    started = []

    def start() -> subprocess.Popen:
        process = subprocess.Popen(
            [
                *(sys.executable, "-c", HEARING),
                *(sys.executable, "manage.py", "run", "--port", str(port)),
            ],
            cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        started.append(process)
        wait_for(lambda: page(port, "/healthz/"), seconds=180)  # 20 of one processor's, or more
        return process

    yield start, port, sandbox_port, tmp_path / "var"
    for process in started:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=30)


def test_run_serves_works_stops_and_loses_nothing(running):
    start, port, sandbox_port, folder = running
    process = start()
    assert "锦州" in page(port, "/cities/jinzhou/")
    assert "No mail yet." in page(port, "/_mail/")

    form = urllib.request.Request(
        f"http://127.0.0.1:{port}/newsletter/", b"email=ann%40example.org", method="POST"
    )
    with urllib.request.urlopen(form, timeout=20) as answer:
        assert answer.status == 200
    wait_for(lambda: "ann@example.org" in page(port, "/_mail/"))  # by the worker
    assert f"http://127.0.0.1:{port}/newsletter/confirm/" in page(port, "/_mail/")

    os.killpg(process.pid, signal.SIGINT)  # what Ctrl-C sends to all of them
    assert process.wait(timeout=20) == 0
    said = process.stdout.read().decode()
    for words in (f"http://127.0.0.1:{port}/", "demo", "sister-cities-demo", "/_mail/"):
        assert words in said
    for closed in (port, sandbox_port):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", closed)) != 0

    database = (folder / "site.sqlite3").stat().st_size
    again = start()
    assert "ann@example.org" in page(port, "/_mail/")
    assert (folder / "site.sqlite3").stat().st_size >= database
    os.killpg(again.pid, signal.SIGINT)
    assert again.wait(timeout=20) == 0
    assert b"The demo is loaded" not in again.stdout.read()
