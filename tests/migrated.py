"""A database with every migration applied, made once and copied: to migrate takes ten seconds, and
each process of the tests wants a database of its own.

What is kept has the fingerprint of all migrations in its name, so that a changed one makes another.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

ROOT = Path(__file__).resolve().parent.parent
NAME = "sistercities_migrated_"


def sqlite_file(folder: Path) -> Path:
    """The file to copy; it is kept in this folder."""
    file = folder / f"{_fingerprint()}.sqlite3"
    with _one_at_a_time(folder):
        if not file.exists():
            for old in folder.glob("*.sqlite3*"):
                old.unlink()
            begun = folder / "begun.sqlite3"
            _migrate(f"sqlite:///{begun}")
            begun.rename(file)
    return file


def postgresql_template(folder: Path, url: str) -> str:
    """The name of the database to copy, on the server of this address."""
    template = NAME + _fingerprint()
    with _one_at_a_time(folder), psycopg.connect(url, autocommit=True) as server:
        found = server.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{NAME}%"]
        )
        names = [row[0] for row in found]
        if template not in names:
            for old in names:
                server.execute(f'DROP DATABASE "{old}"')
            begun = f"{NAME}begun"
            server.execute(f'CREATE DATABASE "{begun}"')
            _migrate(urlsplit(url)._replace(path=f"/{begun}").geturl())
            server.execute(f'ALTER DATABASE "{begun}" RENAME TO "{template}"')
    return template


def _migrate(url: str) -> None:
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
        cwd=ROOT, env={**os.environ, "DATABASE_URL": url}, check=True,
    )  # fmt: skip


def _fingerprint() -> str:
    said = hashlib.sha256((ROOT / "requirements.txt").read_bytes())
    for app in ("cities", "donations", "exchanges", "sistercities"):
        for path in sorted((ROOT / app).rglob("migrations/*.py")):
            said.update(path.read_bytes())
    return said.hexdigest()[:16]


@contextmanager
def _one_at_a_time(folder: Path):
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
