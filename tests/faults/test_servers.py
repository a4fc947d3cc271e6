"""The web server and the worker themselves, killed while an evening's photos come in."""

import contextlib
import http.client
import os
import random
import signal
import subprocess
import sys
import time
import urllib.request
import uuid
from pathlib import Path
from threading import Thread

import pytest
from django.conf import settings
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from .conftest import Stage
from .test_kills import assert_whole, jpeg, until

pytestmark = pytest.mark.xdist_group("faults")  # one site for all of them
PHOTOS = 60


class Server:
    """One of the site's two processes, as docs/operating.md starts them."""

    def __init__(self, stage: Stage, *command: str) -> None:
        self.stage, self.command = stage, command
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *self.command], cwd=settings.BASE_DIR, env=self.stage.environment,
            start_new_session=True, stdout=self.stage.complaints, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)


@pytest.fixture
def port(unused_port_number) -> int:
    return unused_port_number


@pytest.fixture
def web(stage, port):
    server = Server(
        stage, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port),
        "--workers", "1", "--blocking-threads", "4", "--no-ws", "sistercities.wsgi:application",
    )  # fmt: skip
    yield server
    server.kill()


@pytest.fixture
def worker(stage):
    server = Server(stage, "manage.py", "run_huey", "--workers", "2", "--quiet")
    yield server
    server.kill()


def send(port: int, session: str, path: Path, key: uuid.UUID) -> bool:
    """As the page's script does; whether the answer came."""
    with path.open("rb") as file:
        fields = {"file": file, "key": str(key), "size": path.stat().st_size}
        body = encode_multipart(BOUNDARY, fields)
    token = "t" * 32
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/admin/exchanges/batch/1/file/",
        data=body,
        headers={
            "Content-Type": MULTIPART_CONTENT,
            "Accept": "application/json",
            "Cookie": f"sessionid={session}; csrftoken={token}",
            "X-CSRFToken": token,
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status == 200 and bool(answer.read())
    except (OSError, http.client.HTTPException):
        return False


def test_web_and_worker_killed_while_photos_come(stage, web, worker, port, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(PHOTOS):
        (folder / f"{number:02}.jpg").write_bytes(jpeg(number))
    stage.run("sign_in", tmp_path / "session")
    session = (tmp_path / "session").read_text()
    answered: list[str] = []

    def sender(paths: list[Path]) -> None:
        for path in paths:
            key = uuid.uuid4()
            until(lambda path=path, key=key: send(port, session, path, key))
            answered.append(path.name)

    paths = sorted(folder.iterdir())
    senders = [Thread(target=sender, args=[paths[start::3]]) for start in range(3)]
    for thread in senders:
        thread.start()
    for victim in (web, worker, web, worker):
        before = len(answered)
        until(lambda before=before: len(answered) > before + 4)
        time.sleep(random.uniform(0, 0.05))
        victim.kill()
        victim.start()
    for thread in senders:
        thread.join(120)
    assert len(answered) == PHOTOS
    stage.let_leases_end()
    stage.run("render")  # what the clock would have done in a minute
    web.kill()
    worker.kill()
    stage.let_leases_end()
    for job in ("render", "clock", "compress"):
        stage.run(job)
    stage.let_files_age()
    for job in ("sweep", "clock"):
        stage.run(job)
    said = stage.report()
    assert sorted(upload["name"] for upload in said["uploads"]) == sorted(answered)
    assert {upload["state"] for upload in said["uploads"]} == {"stored"}
    assert len(said["photos"]) == PHOTOS
    assert all(photo["picture_width"] for photo in said["photos"])
    assert_whole(stage, said)
