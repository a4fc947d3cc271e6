"""Debian's nginx with the configuration that docs/operating.md gives, on this machine."""

import contextlib
import getpass
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def sample() -> str:
    [found] = re.findall(r"```nginx\n(.*?)```", (ROOT / "docs" / "operating.md").read_text(), re.S)
    return found


def is_here() -> bool:
    return shutil.which("nginx") is not None


@contextlib.contextmanager
def nginx(folder: Path, *, site: int, port: int, more: str = "") -> Iterator[subprocess.Popen]:
    """Listens on `port` for the site on port `site`, without encryption; ready when it begins.

    `more` stands in the server's block beside the sample.
    """
    text = sample().replace("/var/cache/nginx/site", str(folder / "cache"))
    text = text.replace("listen 443 ssl;", f"listen 127.0.0.1:{port};\n{more}")
    text = text.replace("127.0.0.1:8000", f"127.0.0.1:{site}")
    text = re.sub(r"\n *(ssl_\w+|server_name) [^;]*;", "", text)
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"user {getpass.getuser()}; worker_processes 1; daemon off;\n"
        f"pid {folder}/pid; error_log {folder}/errors;\n"
        f"events {{}}\nhttp {{ access_log off; keepalive_requests 1000000; {temporary} {text} }}\n"
    )
    command = ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]
    process = subprocess.Popen([*command, "-e", str(folder / "errors")], start_new_session=True)
    try:
        _wait(process, port, folder)
        yield process
    finally:
        process.terminate()
        process.wait(10)


def _wait(process: subprocess.Popen, port: int, folder: Path) -> None:
    for _try in range(100):
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz/", timeout=5).close()
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
    raise RuntimeError((folder / "errors").read_text())
