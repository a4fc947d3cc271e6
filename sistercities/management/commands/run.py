"""`make run`: the whole site on this machine, in one command."""

import contextlib
import os
import signal
import subprocess
import sys
import time

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

MANAGE = [sys.executable, "manage.py"]


class Command(BaseCommand):
    help = "Prepares the database, then runs the web server, the worker and the gift sandbox."

    def add_arguments(self, parser):
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args, port: int, **options):
        if not settings.DEBUG:
            raise CommandError("`run` is for your own machine; docs/operating.md is about servers.")
        if port == settings.SANDBOX_PORT:
            raise CommandError(f"Port {port} belongs to the sandbox; move it with SANDBOX_PORT=.")
        for ending in (signal.SIGTERM, signal.SIGHUP):  # a closed terminal ends all of it, too
            signal.signal(ending, lambda *_: sys.exit(0))
        call_command("migrate", verbosity=0, interactive=False)
        call_command("createcachetable", verbosity=0)
        call_command("demo", if_empty=True, verbosity=1)
        call_command("demo_gifts", if_wanted=True)
        # Links in mail and the way back from the card page lead to the port that was chosen.
        environment = {"SITE_URL": f"http://127.0.0.1:{port}", **os.environ}
        processes = [
            subprocess.Popen(
                command, cwd=settings.BASE_DIR, env=environment, start_new_session=True
            )
            for command in (
                [
                    *(sys.executable, "-m", "granian", "--interface", "wsgi"),
                    *("--host", "127.0.0.1", "--port", str(port)),
                    *("--workers", "1", "--blocking-threads", "8", "--no-ws"),
                    *("--log-level", "warning"),
                    "sistercities.wsgi:application",
                ],
                [*MANAGE, "run_huey", "--workers", "2", "--quiet"],
                [*MANAGE, "sandbox", "--webhook-url", f"http://127.0.0.1:{port}/webhooks/stripe/"],
            )
        ]
        self.stdout.write(
            "\n".join(
                (
                    "",
                    f"  The site         http://127.0.0.1:{port}/",
                    f"  Staff sign-in    http://127.0.0.1:{port}/admin/   "
                    "name: demo   password: sister-cities-demo",
                    f"  Mail it sends    http://127.0.0.1:{port}/_mail/   "
                    f"(files in {settings.VAR_DIR / 'mail'})",
                    f"  Test card page   http://127.0.0.1:{settings.SANDBOX_PORT}/   "
                    "(opens by itself when you give)",
                    "  Stop             Ctrl-C",
                    "",
                )
            )
        )
        self.stdout.flush()
        try:
            while all(process.poll() is None for process in processes):
                time.sleep(0.3)
            self.stderr.write("One of the processes stopped; ending the others.")
        except KeyboardInterrupt:
            self.stdout.write("Stopping.")
        finally:
            stop(processes)


def stop(processes: list[subprocess.Popen]) -> None:
    """Asks every process to end, then ends what is left of each and of its children.

    Each leads a session of its own, so Ctrl-C reaches this process alone and the order is ours.
    """
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + 10
    for process in processes:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.1, deadline - time.monotonic()))
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
