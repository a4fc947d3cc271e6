"""A site on a database file and folders of its own, whose processes can be killed."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings

from tests import migrated


class Stage:
    """Real processes of a site; each runs one job of a module like `stage.py`."""

    def __init__(self, folder: Path, module: str = "stage", **environment: str) -> None:
        self.folder = folder
        self.database = folder / "site.sqlite3"
        self.media, self.originals = folder / "media", folder / "originals"
        self.complaints = (folder / "errors").open("w+")
        self.environment = {
            "PATH": os.environ["PATH"],
            "DEBUG": "on",
            "LOG_LEVEL": "ERROR",
            "DJANGO_SETTINGS_MODULE": "sistercities.settings",
            "VAR_DIR": str(folder),
            "TASKS_URL": f"sqlite:///{folder}/queue.sqlite3",
            **environment,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", f"tests.faults.{module}"],
            cwd=settings.BASE_DIR, env=self.environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.complaints,
        )  # fmt: skip
        assert self._answer() == "ready"

    def clear(self) -> None:
        """An empty site again."""
        for path in self.folder.glob("site.sqlite3*"):
            path.unlink()
        self.database.write_bytes(self.empty_database)
        for folder in (self.media, self.originals, self.folder / "letters"):
            shutil.rmtree(folder, ignore_errors=True)
        self.complaints.truncate(0)

    def _answer(self) -> str:
        return self.process.stdout.readline().strip()

    def _say(self, *words) -> int:
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        return int(self._answer())

    def start(self, job: str, *arguments) -> int:
        """The process id of whoever does the job now."""
        return self._say("start", job, *arguments)

    def end(self, process: int) -> int:
        """Waits for it; its exit code, negative for a signal."""
        return self._say("end", process)

    def run(self, job: str, *arguments) -> None:
        assert self.end(self.start(job, *arguments)) == 0, self.errors()

    def report(self) -> dict:
        self.run("report", self.folder / "report")
        return json.loads((self.folder / "report").read_text())

    def sql(self, statement: str) -> list:
        with sqlite3.connect(self.database, timeout=20) as connection:
            found = connection.execute(statement).fetchall()
        connection.close()
        return found

    def errors(self) -> str:
        """What its processes have complained of."""
        return (self.folder / "errors").read_text()

    def row_files(self) -> tuple[set[str], set[str]]:
        """The public and the private files that rows name."""
        said = self.report()
        return set(said["public"]), set(said["private"])

    def all_files(self) -> tuple[set[str], set[str]]:
        """The public and the private files that there are."""
        return self.files(self.media), self.files(self.originals)

    def let_leases_end(self) -> None:
        """Some minutes pass for what a worker had in hand when it was killed."""
        for table in ("shared_rendering", "shared_aviftrial", "exchanges_galleryarchive"):
            self.sql(f"UPDATE {table} SET next_try_at = '2020-01-01 00:00:00'")

    def files(self, folder: Path) -> set[str]:
        return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}

    def let_files_age(self) -> None:
        """Two hours pass: nothing is on its way any more."""
        then = time.time() - 7200
        for folder in (self.media, self.originals):
            for path in folder.rglob("*"):
                if path.is_file():
                    os.utime(path, (then, then))

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()
        self.complaints.close()


@pytest.fixture(scope="session")
def built_stage(tmp_path_factory, kept_folder):
    stage = Stage(tmp_path_factory.mktemp("site"))
    shutil.copyfile(migrated.sqlite_file(kept_folder), stage.database)
    stage.run("prepare_database")
    stage.empty_database = stage.database.read_bytes()
    yield stage
    stage.close()


@pytest.fixture
def stage(built_stage):
    built_stage.clear()
    return built_stage
