"""Poster landscapes drawn by code: four twinned places as layered screen prints.

    python -m sistercities.demo.draw.draw --all --out-dir sistercities/demo/pictures
    python -m sistercities.demo.draw.draw jinzhou-causeway --size 2400x1600 --seed 3 --out-dir tries

The first line draws the pictures of the demo again, about a second each. It needs numpy, which the
site itself does not. Same name, size and seed: same pixels. `poster` holds the sheet and its inks,
`scenes_*` what is drawn.
"""

import argparse
import random
import time
import zlib
from pathlib import Path

from PIL import Image

from sistercities.demo.draw import scenes_arvada as arvada
from sistercities.demo.draw import scenes_jinzhou as jinzhou
from sistercities.demo.draw import scenes_kyzylorda as kyzylorda
from sistercities.demo.draw import scenes_midleton as midleton
from sistercities.demo.draw.poster import LEAF, LIGHTS, Sheet

# scene: (function, lights, seasons, weathers); the first of each is the signed print
TABLE = {
    "jinzhou-causeway": (jinzhou.causeway, "dawn golden dusk day", "summer autumn", "clear"),
    "jinzhou-pagodas": (jinzhou.pagodas, "golden dawn dusk grey", "autumn summer spring winter", "clear"),
    "jinzhou-night-market": (jinzhou.night_market, "night", "summer", "clear"),
    "jinzhou-port": (jinzhou.port, "dusk dawn golden", "summer", "clear"),
    "jinzhou-orchard": (jinzhou.orchard, "golden day", "autumn spring summer", "clear"),
    "jinzhou-gate": (jinzhou.gate, "day golden dawn", "summer spring autumn", "clear"),
    "kyzylorda-river": (kyzylorda.river, "dusk golden dawn day", "summer autumn", "clear"),
    "kyzylorda-yurts": (kyzylorda.yurts, "day golden dusk", "summer spring autumn", "clear"),
    "kyzylorda-rocket": (kyzylorda.rocket, "dusk", "summer", "clear"),
    "kyzylorda-rice": (kyzylorda.rice, "dawn golden day", "summer autumn spring", "clear"),
    "kyzylorda-station": (kyzylorda.station, "day golden dusk", "summer autumn spring", "clear"),
    "midleton-distillery": (midleton.distillery, "dusk golden grey", "summer autumn", "rain clear"),
    "midleton-fields": (midleton.fields, "grey golden day", "spring summer", "rain clear"),
    "midleton-harbour": (midleton.harbour, "dawn golden grey day", "summer autumn", "clear"),
    "midleton-market-street": (midleton.market_street, "golden day grey", "summer spring", "clear rain"),
    "midleton-children": (midleton.children, "golden day", "summer", "clear"),
    "arvada-water-tower": (arvada.water_tower, "golden day dusk dawn", "autumn summer winter", "clear snow"),
    "arvada-creek": (arvada.creek, "day golden dawn", "autumn", "clear"),
    "arvada-elevator": (arvada.elevator, "dusk golden", "summer autumn", "clear"),
    "arvada-tree-planting": (arvada.planting, "day golden dawn", "spring autumn", "clear"),
    "arvada-handshake": (arvada.handshake, "golden day", "autumn summer", "clear"),
}


# Further prints of the demo: name, scene, seed, light, season, weather.
VARIANTS = [
    ("jinzhou-gate-spring", "jinzhou-gate", 3, "dawn", "spring", "clear"),
    ("jinzhou-pagodas-spring", "jinzhou-pagodas", 3, "dawn", "spring", "clear"),
    ("jinzhou-orchard-spring", "jinzhou-orchard", 2, "day", "spring", "clear"),
    ("jinzhou-causeway-noon", "jinzhou-causeway", 4, "day", "summer", "clear"),
    ("jinzhou-port-dawn", "jinzhou-port", 2, "dawn", "summer", "clear"),
    ("jinzhou-night-market-late", "jinzhou-night-market", 3, "night", "summer", "clear"),
    ("kyzylorda-rice-autumn", "kyzylorda-rice", 2, "golden", "autumn", "clear"),
    ("kyzylorda-river-noon", "kyzylorda-river", 2, "day", "summer", "clear"),
    ("midleton-fields-clear", "midleton-fields", 2, "golden", "summer", "clear"),
    ("midleton-market-street-rain", "midleton-market-street", 2, "day", "spring", "rain"),
    ("arvada-tree-planting-autumn", "arvada-tree-planting", 2, "golden", "autumn", "clear"),
    ("arvada-water-tower-winter", "arvada-water-tower", 2, "day", "winter", "snow"),
]
PRINTS = {name: (name, 1, None, None, None) for name in TABLE} | {
    name: tuple(recipe) for name, *recipe in VARIANTS
}


def draw(name, size=(2400, 1600), seed=1, light=None, season=None, weather=None):
    """One picture.  Seed 1 is the signed print: first light, season and weather of its row, the composed view.
    Other seeds pick their own, and may step closer, look a little aside or turn the view round."""
    scene, lights, seasons, weathers = TABLE[name]
    r = random.Random(zlib.crc32(f"{name}/{seed}".encode()))
    pick = lambda row: row.split()[0] if seed == 1 else r.choice(row.split())
    light, season, weather = light or pick(lights), season or pick(seasons), weather or pick(weathers)
    season = "winter" if weather == "snow" else season
    (w, h), zoom = size, 1 if seed == 1 else r.uniform(1, 1.10)
    s = Sheet(round(w * zoom), round(h * zoom), r.randrange(1 << 30), light, season, weather)
    scene(s)
    im = s.finish()
    x, y = round((im.width - w) * r.random()), round((im.height - h) * r.random())
    im = im.crop((x, y, x + w, y + h))
    return im.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if seed != 1 and r.random() < 0.4 else im


def save(im, out, limit=120_000):
    """WebP at the best quality under the limit (bytes for 1600x1067; larger prints may weigh more)."""
    out = Path(out)
    if out.suffix != ".webp":
        im.save(out)
        return 100
    limit *= max(1, im.width * im.height / (1600 * 1067))
    for q in (86, 80, 74, 68, 62, 56, 50, 44, 38, 30, 22):
        im.save(out, quality=q, method=6)
        if out.stat().st_size <= limit:
            return q
    return 0  # still too heavy: the caller should choose a smaller size


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("scene", nargs="*", help="one or more of: " + ", ".join(TABLE))
    ap.add_argument("--all", action="store_true", help="every picture of the demo")
    ap.add_argument("--size", default="1600x1067")
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--light", choices=LIGHTS)
    ap.add_argument("--season", choices=LEAF)
    ap.add_argument("--weather")
    ap.add_argument("--out-dir", default="pictures")
    ap.add_argument("--suffix", default=".webp")
    o = ap.parse_args()
    if unknown := [name for name in o.scene if name not in TABLE]:
        ap.error(f"no such scene: {', '.join(unknown)}. Choose from {', '.join(TABLE)}.")
    size = tuple(int(v) for v in o.size.split("x"))
    wanted = {name: (name, o.seed, o.light, o.season, o.weather) for name in o.scene}
    Path(o.out_dir).mkdir(parents=True, exist_ok=True)
    for name, (scene, seed, light, season, weather) in (PRINTS if o.all else wanted).items():
        t = time.process_time()
        im = draw(scene, size, seed, light, season, weather)
        t = time.process_time() - t
        out = Path(o.out_dir) / (name + o.suffix)
        q = save(im, out)
        print(f"{name:28s} {t:5.2f} s  {out.stat().st_size // 1024:4d} KB  q{q}", flush=True)


if __name__ == "__main__":
    main()
