"""`make bench`: prints one line a figure; `ONLY=photos.page` picks those whose names begin so.

name, ours, peer or limit, ratio, goal, ok or short; between them a tab. A figure that falls short
is printed and is no failure. Each scene runs in a process and a folder of its own.
"""

import os
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path

from tests.bench.figures import note
from tests.bench.places import ROOT, environment

AREAS = (
    "tests.bench.photos", "tests.bench.gallery_pages", "tests.bench.city_pages",
    "tests.bench.giving", "tests.bench.mail", "tests.bench.pages",
)  # fmt: skip


def main() -> int:
    only = os.environ.get("ONLY", "")
    scenes = [(area, scene) for area in AREAS for scene in import_module(area).SCENES]
    failed = False
    with tempfile.TemporaryDirectory(prefix="sistercities-bench-") as folder:
        for area, scene in scenes:
            if scene.startswith(only) or only.startswith(scene):
                note(f"{scene} …")
                failed |= subprocess.call(
                    [sys.executable, "-m", "tests.bench", area, scene, folder, only],
                    cwd=ROOT, env=environment(Path(folder) / scene),
                ) != 0  # fmt: skip
    return int(failed)


def play(area: str, scene: str, folder: str, only: str) -> None:
    """One scene, in the process that was started for it."""
    for figure in import_module(area).SCENES[scene](Path(folder)):
        if figure.name.startswith(only):
            print(figure, flush=True)


if __name__ == "__main__":
    sys.exit(play(*sys.argv[1:]) if len(sys.argv) > 1 else main())
