"""The environment of the tests, set before Django reads its settings (a plugin of pytest).

CI sets DATABASE_URL, CACHE_URL and TASKS_URL itself to run everything on PostgreSQL and Redis.
"""

import atexit
import gc
import os
import shutil
import tempfile

for name in (
    "CLOCK", "PROOF_OF_WORK", "TRUSTED_PROXIES", "EMAIL_URL", "SITE_URL", "S3_ENDPOINT",
    "MAIL_RATE", "MAIL_CONNECTIONS", "MAIL_HELD_AFTER", "BOUNCE_ADDRESS",
):  # fmt: skip
    os.environ.pop(name, None)
os.environ["DEBUG"] = "on"
os.environ["VAR_DIR"] = tempfile.mkdtemp(prefix="sistercities-tests-")
atexit.register(shutil.rmtree, os.environ["VAR_DIR"], ignore_errors=True)
os.environ.setdefault("TASKS_URL", "immediate:")

# Two test processes on one Redis: a database and a queue for each.
worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
if os.environ.get("CACHE_URL", "").startswith("redis"):
    address, _, number = os.environ["CACHE_URL"].rpartition("/")
    os.environ["CACHE_URL"] = f"{address}/{int(number) + int(worker)}"
if os.environ["TASKS_URL"].startswith("redis"):
    os.environ["TASKS_URL"] += f"-{worker}"

# Everything that is loaded stays: going through all of it again and again finds nothing.
gc.set_threshold(100_000, 20, 20)
