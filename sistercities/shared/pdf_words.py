"""Reads the words out of a PDF that somebody else made: `extract`.

A hostile file can make any reader loop or eat memory, so it is read by a process of its own with
little time and memory and without our secrets: this same file, run as a program.
"""

import re
import resource
import subprocess
import sys
import unicodedata
from pathlib import Path

MOST_PAGES = 300
MOST_LETTERS = 300_000
SECONDS = 20  # of work
PATIENCE = 60  # seconds of waiting
MEMORY = 512 * 1024 * 1024
LOCKED = 3  # what the process ends with where a password is needed
ROOT = Path(__file__).resolve().parents[2]


class Unreadable(Exception):
    """There is no getting words out of this file."""


class Locked(Unreadable):
    """It asks for a password."""


def extract(pdf: bytes) -> str:
    """Its words with single spaces between; "" for a scan. The first 300 pages, 300,000 letters.

    Raises `Unreadable` for what is damaged, hostile or too much work.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", "sistercities.shared.pdf_words"],
            input=pdf,
            capture_output=True,
            cwd=ROOT,
            env={},
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unreadable from None
    if done.returncode == LOCKED:
        raise Locked
    if done.returncode:
        raise Unreadable
    return _as_words(done.stdout.decode("utf-8", "ignore"))


def _as_words(text: str) -> str:
    """In the spelling of the search: words cut at a line's end are whole, nothing is invisible."""
    text = unicodedata.normalize("NFKC", text)
    text = re.sub(r"(\w)[-\u00ad\u2010]\n(\w)", r"\1\2", text)
    text = "".join(
        sign if sign.isspace() or unicodedata.category(sign)[0] != "C" else "" for sign in text
    )
    return " ".join(text.split())[:MOST_LETTERS]


def _main() -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    import io
    import logging

    from pypdf import PdfReader

    logging.disable()
    reader = PdfReader(io.BytesIO(sys.stdin.buffer.read()))
    if reader.is_encrypted and not reader.decrypt(""):
        return LOCKED
    letters = 0
    for page in reader.pages[:MOST_PAGES]:
        text = page.extract_text()[: MOST_LETTERS - letters]
        letters += len(text)
        sys.stdout.buffer.write(f"{text}\n".encode("utf-8", "ignore"))
        if letters >= MOST_LETTERS:
            break
    return 0


if __name__ == "__main__":
    sys.exit(_main())
