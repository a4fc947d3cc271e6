"""Midleton: fields, distillery, harbour, market street, children painting."""

import math

import numpy as np

from sistercities.demo.draw.poster import COATS, F, box, ell, house, limb, mix, path, put, smooth


def wall_stone(s, x0, y0, x1, y1, h0, h1, n=260):
    """A dry stone wall in perspective from (x0, y0) to (x1, y1), heights h0 and h1 (pixels)."""
    base = [(x0, y0), (x1, y1), (x1, y1 - h1), (x0, y0 - h0)]
    s.ink(base, s.shd("#77705f"), to=s.shd("#5a5650"))
    tones = ([], [], [])
    for i in range(n):
        t = s.r.random()
        h, x = h0 + (h1 - h0) * t, x0 + (x1 - x0) * t
        q = (s.r.randrange(5) + 0.5) / 5
        r = h * s.r.uniform(0.09, 0.15)
        tones[s.r.randrange(3)].append(ell(x, y0 + (y1 - y0) * t - h * q, r * 1.5, r * 0.72, 9, s.r.uniform(-0.2, 0.2)))
    for sh, c in zip(tones, (s.mid("#8c8672"), s.mid("#b5ad94"), s.lit("#cfc7aa"))):
        s.ink(sh, c)
    cap = []
    for i in range(int(n / 5)):
        t = i / (n / 5)
        h, x = h0 + (h1 - h0) * t, x0 + (x1 - x0) * t
        cap.append(ell(x, y0 + (y1 - y0) * t - h * 1.02, h * 0.11, h * 0.15 * s.r.uniform(0.8, 1.3), 9))
    s.ink(cap, s.lit("#ddd5b8"), to=s.mid("#a8a088"), ang=0)


def sheep(s, x, y, k):
    s.ink(ell(x, y, k * 0.6, k * 0.08), s.shd(s.grass[0]), alpha=0.5)
    s.ink([limb_ for a in (-0.25, -0.12, 0.18, 0.28) for limb_ in limb(x + a * k, y - k * 0.3, x + a * k, y, k * 0.07)], s.shd("#3a3636"))
    s.ink(
        [ell(x + s.r.uniform(-0.32, 0.32) * k, y - k * s.r.uniform(0.36, 0.6), k * 0.2, k * 0.17, 12) for _ in range(12)],
        s.lit("#f3ecd8"),
        to=s.shd("#c9c2b8"),
        ang=60,
    )
    s.ink(ell(x + k * 0.48, y - k * 0.6, k * 0.13, k * 0.11), s.shd("#3f3a3a"))


def fields(s):
    W, H, hz = s.w, s.h, 0.36 + s.eye
    s.sky(hz + 0.06, wob=0.2)
    wet = s.weather == "rain"
    dark = mix(s.sky_inks[0], s.shd("#54606e"), 0.45)
    for i, (y, h, c) in enumerate(
        ((0.02, 0.30, dark), (0.06, 0.26, mix(dark, s.sky_inks[1], 0.5)), (0.16, 0.20, mix(s.sky_inks[2], "#ffffff", 0.2)))
    ):
        s.stratus(y - 0.04, y + h, c, 0.52 - 0.04 * i, 1.3, 8, 0.85, mix(c, s.sky_inks[3], 0.25))
    if wet:  # the shower on its way, slanting out of the cloud on the left
        for _ in range(42):
            x, w = s.r.uniform(-0.02, 0.40), s.r.uniform(0.008, 0.06)
            s.ink(
                [(x * W, 0.13 * H), ((x + w) * W, 0.13 * H), ((x + w - 0.10) * W, (hz + 0.05) * H), ((x - 0.10) * W, (hz + 0.05) * H)],
                mix(dark, s.sky_inks[2], 0.2),
                to=mix(dark, s.haze, 0.5),
                alpha=0.10 * (1 - x * 1.4),
                grain=1.0,
            )
        s.glow(0.74 * W, (hz - 0.02) * H, 38 * s.u, "#ffedb4", 0.85)
        s.ink(
            [
                q
                for x in (0.66, 0.72, 0.79)
                for q in [[(x * W, 0.16 * H), ((x + 0.02) * W, 0.16 * H), ((x + 0.075) * W, hz * H), ((x - 0.005) * W, hz * H)]]
            ],
            "#fff6d8",
            alpha=0.16,
        )
    s.land(s.ridge(hz - 0.01, 0.035, 2, False), s.shd("#5f7a86", 0.55), to=s.haze, span=0.10, base=0.6)
    s.land(s.ridge(hz + 0.025, 0.03, 2.5, False), s.mid(s.leaf[0], 0.42), to=s.mid(s.leaf[1], 0.35), span=0.1, base=0.7)
    tops = [(0.06, 0.03, 0.30), (0.12, 0.045, 0.18), (0.21, 0.06, 0.08), (0.34, 0.06, 0)]
    greens = ["#5f9448", "#86b04e", "#a9c25a", "#4f8446", "#c9c868", "#739f4c", "#94b75a"]
    for j, (dy, amp, d) in enumerate(tops):
        ln = s.ridge(hz + dy, amp, 1.6, False, octaves=3)
        nxt = hz + (tops[j + 1][0] if j < 3 else 0.75)
        s.land(ln, s.mid(s.r.choice(greens), d), base=min(1, nxt + 0.12))
        m = (8, 6, 5, 4)[j]
        cuts = sorted([-0.2 + 1.4 * (i + s.r.uniform(-0.42, 0.42)) / m for i in range(m + 1)])
        hedge = []
        lean = [s.r.uniform(-0.5, 0.5) - (c - 0.6) * 0.7 * (j + 1) / 2 for c in cuts]
        drop = (nxt - hz - dy + 0.14) * H
        Y = lambda x: ln[int(max(0, min(s.w - 1, x)))]
        for i in range(len(cuts) - 1):
            a, b = cuts[i] * W, cuts[i + 1] * W
            top = [(a + (b - a) * q / 8, Y(a + (b - a) * q / 8)) for q in range(9)]
            sunny = 0.55 < (cuts[i] + cuts[i + 1]) / 2 < 0.92
            g = s.r.choice(("#9fba52", "#b9bd62", "#8db04f") if sunny else greens)
            c = mix(s.lit(g, d, 1.12), "#ffe9a8", 0.12) if sunny else s.mid(g, d) if j % 2 else s.shd(g, d, 1.35)
            s.ink(
                top + [(b - lean[i + 1] * drop, top[-1][1] + drop), (a - lean[i] * drop, top[0][1] + drop)],
                c,
                to=mix(c, s.shd(g, d), 0.45),
                grain=0.8,
            )
            if s.r.random() < 0.4:  # mown lines
                s.ink(
                    [
                        [
                            (a + (b - a) * q, Y(a + (b - a) * q)),
                            (a + (b - a) * (q + 0.03), Y(a + (b - a) * q)),
                            (a + (b - a) * (q + 0.03) - lean[i] * drop, Y(a) + drop),
                            (a + (b - a) * q - lean[i] * drop, Y(a) + drop),
                        ]
                        for q in [0.1 * v for v in range(1, 10)]
                    ],
                    s.lit(g, d, 1.2),
                    alpha=0.35,
                    dry=0.6,
                )
            k = s.u * (0.45 + 0.42 * j)
            hedge += [
                (a - lean[i] * drop * t + s.r.uniform(-0.2, 0.2) * k, top[0][1] + drop * t - k * 0.4, k * s.r.uniform(0.7, 1.2))
                for t in np.linspace(0, 1, 16 + 4 * j)
            ]
        k = s.u * (0.40 + 0.34 * j)
        hedge += [(x, Y(x) - k * 0.3, k * s.r.uniform(0.7, 1.25)) for x in np.arange(0, W, k * 2)]
        for _ in range(5):
            x = s.r.random() * W
            hedge += [(x + s.r.gauss(0, 1) * k, Y(x) - k * s.r.uniform(1, 2.6), k * 1.3) for _ in range(4)]
        s.foliage(hedge, (s.shd(s.leaf[0], d), s.mid(s.leaf[0], d), s.mid(s.leaf[1], d)), 0.34 + 0.18 * j, 0.34)
        if j == 2:
            house(s, (0.66 + s.pan) * W, Y(0.68 * W) + 2.5 * s.u, 6.4 * s.u, 2.4 * s.u, "#f4ecdc", "#5b6068", 0.1, windows=3, chimney=True)
            house(s, (0.735 + s.pan) * W, Y(0.72 * W) + 2.9 * s.u, 5.6 * s.u, 1.9 * s.u, "#b5553f", "#7a4a40", 0.1, windows=1)
        if j == 2:
            for _ in range(9):
                x = (0.74 + s.r.gauss(0, 0.06)) * W
                sheep(s, x, Y(x) + s.r.uniform(6.0, 8.5) * s.u, 1.7 * s.u)
    s.land(s.ridge(0.90, 0.025, 1.5, False, octaves=3), s.lit("#7fa64c"), to=s.shd(s.leaf[0]), grain=0.7)
    wall_stone(s, -2 * s.u, 0.995 * H, 0.58 * W, 0.905 * H, 11 * s.u, 6.5 * s.u, 460)
    wall_stone(s, 0.70 * W, 0.905 * H, 1.02 * W, 0.975 * H, 6.6 * s.u, 9.5 * s.u, 260)
    c = s.lit("#c9c3b0")
    for q in range(5):
        y = 0.893 * H - q * 1.05 * s.u
        s.ink(limb(0.585 * W, y, 0.695 * W, y, 0.42 * s.u), c)
    s.ink(
        [box(x * W - 0.5 * s.u, 0.893 * H - 5.6 * s.u, x * W + 0.5 * s.u, 0.905 * H) for x in (0.583, 0.697)]
        + limb(0.585 * W, 0.888 * H, 0.695 * W, 0.85 * H, 0.4 * s.u),
        c,
        to=s.mid("#8c8672"),
        ang=0,
    )
    s.tufts(0.92, 1.05, (s.shd(s.leaf[0]), s.mid(s.leaf[1]), s.lit(s.leaf[2])), 420, 1.1)
    if wet:
        s.rain(300, 0.28, "#f4f6ee", 0.16, 4)
    s.birds(0.56, 0.26, 6, 0.8, s.shd("#3c4650"))


def distillery(s):
    W, H, hz = s.w, s.h, 0.62 + s.eye
    s.sky(hz, sun=(0.12, 0.30) if s.light == "golden" and s.weather != "rain" else None, wob=0.16)
    s.stratus(0.0, 0.5, mix(s.sky_inks[3], "#ffffff", 0.25), 0.44, 1.4, 9, 0.7)
    s.stratus(0.2, hz, mix(s.sky_inks[1], s.sky_inks[0], 0.3), 0.34, 1.4, 14, 0.5)
    s.land(s.ridge(hz - 0.08, 0.05, 2, False), s.shd("#5f7f7a", 0.52), to=s.haze, span=0.2, base=0.9)
    s.land(s.ridge(hz - 0.02, 0.04, 2.4, False), s.mid(s.leaf[0], 0.35), to=s.mid(s.leaf[1], 0.3), span=0.2, base=0.95)
    s.foliage([(s.r.random() * W, (hz + s.r.random() * 0.05) * H, s.u * s.r.uniform(2, 4.5)) for _ in range(40)], s.tones(s.leaf, 0.22), 0.8)
    by, k, cx = 0.845 * H, s.u, (0.5 + s.pan) * W
    s.ink(box(0, 0.80 * H, W, H), s.mid("#b5a68e", 0.1), to=s.shd("#8a8078"), grain=0.6)
    Q = lambda pts: put(pts, cx, by, k)
    stone, slate, brick = "#c2b094", "#5a6470", "#b0573c"

    def rubble(x0, y0, x1, y1, n):
        sets = ([], [])
        for _ in range(n):
            r = s.r.uniform(0.35, 0.8)
            sets[s.r.randrange(2)].append(ell(*Q([(s.r.uniform(x0 + 1, x1 - 1), s.r.uniform(y0, y1 - 0.6))])[0], r * k, r * 0.5 * k, 8))
        s.ink(sets[0], s.lit(stone, 0, 1.1), alpha=0.55)
        s.ink(sets[1], s.shd(stone, 0, 1.3), alpha=0.4)

    # chimney on the left third
    s.ink(Q([(-28, 0), (-22, 0), (-23.2, 47), (-26.8, 47)]), s.lit(brick), to=s.shd(brick), ang=0, grain=0.5)
    s.ink([Q(box(-27.4, 45, -22.6, 46)), Q(box(-27.6, 46.6, -22.4, 48)), Q(box(-28.8, 0, -21.2, 4))], s.lit("#c9704f"), to=s.shd(brick), ang=0)
    s.ink(
        [Q([(-28 + 0.026 * y, y), (-22 - 0.026 * y, y), (-22 - 0.026 * y, y + 0.18), (-28 + 0.026 * y, y + 0.18)]) for y in range(5, 45, 2)],
        s.shd(brick),
        alpha=0.35,
    )
    x, y = Q([(-25, 48.5)])[0]
    for i in range(30):
        t = i / 29
        s.glow(
            x + s.u * (26 * t**1.3),
            y - s.u * (9 * t**0.7 - 1) - s.u * math.sin(i) * 0.5,
            s.u * (1.8 + 5.5 * t),
            mix("#fff7e6", s.haze, 0.3),
            0.34 * (1 - t) + 0.04,
        )
    # maltings: long stone range behind
    s.ink(Q(box(-46, 0, -6, 17)), s.lit(stone, 0.06), to=s.mid(stone), ang=50, grain=0.8)
    rubble(-46, 0, -6, 17, 130)
    s.ink(Q([(-47, 17), (-5, 17), (-8, 24), (-44, 24)]), s.mid(slate), to=s.shd(slate), ang=40)
    s.ink([Q(box(-44 + i * 5.4, h, -41.9 + i * 5.4, h + 3.2)) for i in range(7) for h in (3, 9.5)], s.shd("#3f4a50"))
    s.ink([Q(box(-44.3 + i * 5.4, h + 3.2, -41.6 + i * 5.4, h + 3.8)) for i in range(7) for h in (3, 9.5)], s.lit(brick))
    s.ink([Q(box(-43 + i * 5.4, h + 0.4, -42.7 + i * 5.4, h + 3.2)) for i in range(7) for h in (3, 9.5)], s.lit("#e8dfc8"))
    # still house: tall windows, copper inside
    x0, x1, h = -8, 38, 25
    s.ink(Q(box(x0, 0, x1, h)), s.lit(stone, 0, 1.04), to=s.mid(stone), ang=40, grain=0.8)
    rubble(x0, 0, x1, h, 230)
    s.ink(Q([(x0 - 1, h), (15, h + 11), (x1 + 1, h)]), s.lit(stone, 0, 1.05), to=s.mid(stone), ang=20)
    s.ink([Q([(x0 - 2, h - 0.6), (15, h + 11.2), (15, h + 12.8), (x0 - 2, h + 1)])], s.lit(slate, 0, 1.2))
    s.ink(Q([(x1 + 2, h - 0.6), (15, h + 11.2), (15, h + 12.8), (x1 + 2, h + 1)]), s.shd(slate))
    s.ink(ell(*Q([(15, h + 4.4)])[0], 2.2 * k), s.lit("#e8dfc8"))
    s.ink(ell(*Q([(15, h + 4.4)])[0], 1.75 * k), s.shd("#3f4a50"))

    def arch(x, w, y0, y1, n=20):
        return [(x - w, y0), (x + w, y0)] + [(x + w * math.cos(math.pi * i / n), y1 + w * math.sin(math.pi * i / n)) for i in range(n + 1)]

    for x in (-0.6, 15, 30.6):
        w = 5.9
        s.ink(Q(arch(x, w + 0.8, 2.6, 15)), s.lit(brick), to=s.mid(brick))
        s.ink(Q(arch(x, w, 3, 15)), "#ffd98c", to="#d9874a", grain=0.8)
        pot = [
            (-4.4, 3),
            (-4.7, 6.4),
            (-3.6, 9.2),
            (-1.7, 11),
            (-1.1, 15.5),
            (-0.8, 18),
            (0.9, 18),
            (1.1, 15.5),
            (1.7, 11),
            (3.6, 9.2),
            (4.7, 6.4),
            (4.4, 3),
        ]
        s.ink(Q([(x + a, b) for a, b in pot]), "#e8945a", to="#7a3420", ang=0, grain=0.6)
        s.ink(Q([(x - 3.5, 4), (x - 3.6, 6.4), (x - 2.6, 8.6), (x - 1.9, 9.0), (x - 2.7, 6.2), (x - 2.7, 4)]), "#ffd0a0", alpha=0.85)
        s.ink(ell(*Q([(x, 8.6)])[0], 0.9 * k), "#5a2a20")
        s.ink(path(Q([(x, 18), (x + 1.4, 19.3), (x + 4.2, 17.6), (x + 5.4, 13)]), 1.5 * k, 0.7 * k), "#b9633a")
        bars = [Q(box(x - 0.16 + d, 3, x + 0.16 + d, 20.8 if not d else 19.4)) for d in (-2.9, 0, 2.9)] + [
            Q(box(x - w, b, x + w, b + 0.28)) for b in (8.4, 13.8)
        ]
        s.ink(bars, s.shd("#463c3a"))
        s.glow(*Q([(x, 1)])[0], 9 * k, "#ffb45c", 0.35)
    s.ink(Q(box(38, 0, 58, 12)), s.mid(stone), to=s.shd(stone), ang=0, grain=0.7)
    s.ink(Q([(37, 12), (59, 12), (55, 17), (38, 17)]), s.shd(slate, 0, 1.2))
    a = 0.845
    n = s.floor_noise(a, 2, 5, 3)
    refl = s.a[np.clip(int(a * H) - 1 - (np.arange(n.shape[0]) * 1.15).astype(int), 0, None)][:, :, :]
    m = smooth(0.50, 0.54, n + 0.10 * np.linspace(0, 1, n.shape[0], dtype=F)[:, None] + (s.speck[-n.shape[0] :] - 0.5) * 0.05) * (
        0.62 if s.weather == "rain" else 0.25
    )
    reg = s.a[-n.shape[0] :]
    reg += (refl * 0.9 - reg) * m[..., None]
    for x, n in ((0.16, 6), (0.86, 5)):  # casks
        for i in range(n):
            px, py, r = x * W + (i % 3) * 3.6 * k + (i // 3) * 1.8 * k, 0.90 * H - (i // 3) * 3.1 * k, 1.75 * k
            s.ink(ell(px, py, r), s.lit("#b5793f"), to=s.shd("#7a4a2c"), ang=45)
            s.ink(ell(px, py, r * 0.8), s.mid("#d0985a"), to=s.shd("#8a5a38"), ang=45)
            s.ink(box(px - r * 0.7, py - r * 0.06, px + r * 0.7, py + r * 0.06), s.shd("#6a4428"), alpha=0.6)
    s.crowd(0.36, 0.50, 0.915, 9.4 * k, 4, 0.006)
    s.crowd(0.60, 0.66, 0.90, 9 * k, 2, 0.004)
    if s.weather == "rain":
        s.rain(320, 0.16, "#f6f4ea", 0.15, 4)


def boat(s, x, y, k, hull, sail=False):
    s.ink(put([(-1.0, 0.32), (-0.86, 0), (0.8, 0), (1.12, 0.40)], x, y, k), s.lit(hull), to=s.shd(hull), ang=60)
    s.ink(put([(-1.0, 0.32), (1.12, 0.40), (1.1, 0.44), (-1.0, 0.36)], x, y, k), s.lit("#f4ead2"))
    s.ink(put([(-0.5, 0.34), (-0.45, 0.56), (0.25, 0.58), (0.45, 0.36)], x, y, k), s.lit("#efe4cc"), to=s.shd("#b8aea0"), ang=0)
    s.ink(
        limb(*put([(0.08, 0.4)], x, y, k)[0], *put([(0.08, 2.9)], x, y, k)[0], k * 0.045, k * 0.03)
        + limb(*put([(0.08, 0.66)], x, y, k)[0], *put([(-0.78, 0.70)], x, y, k)[0], k * 0.06),
        s.shd("#5a5048"),
    )
    s.ink(
        limb(*put([(0.08, 2.85)], x, y, k)[0], *put([(1.1, 0.42)], x, y, k)[0], k * 0.014)
        + limb(*put([(0.08, 2.85)], x, y, k)[0], *put([(-0.98, 0.36)], x, y, k)[0], k * 0.014),
        s.shd("#5a5048"),
    )
    if sail:
        s.ink(put([(0.02, 2.8), (0.02, 0.72), (-0.85, 0.74)], x, y, k), s.lit(sail), to=s.shd(sail), ang=20)
        s.ink(put([(0.14, 2.7), (0.14, 0.60), (1.0, 0.48)], x, y, k), s.lit("#fbf3df"), to=s.mid("#e8d8b8"), ang=0)


def harbour(s):
    W, H, hz = s.w, s.h, 0.53 + s.eye
    s.sky(hz, sun=(0.58 + s.pan, hz - 0.20), size=3.4)
    s.stratus(0.02, hz * 0.9, mix(s.sky_inks[3], "#ffffff", 0.3), 0.42, 1.4, 11, 0.6)
    s.land(s.ridge(hz - 0.05, 0.04, 2, False), s.shd("#6a8590", 0.60), to=s.haze, span=0.08, base=hz)
    X = s.X / W
    L = (hz - 0.19 * smooth(0.60, -0.05, X) ** 1.2 - 0.012 * s.wave(14, 3) * smooth(0.62, 0.4, X)) * H
    R = (hz - 0.145 * smooth(0.60, 1.02, X) ** 0.9 - 0.012 * s.wave(12, 3) * smooth(0.56, 0.8, X)) * H
    for ln, d, side in ((L, 0.34, 0), (R, 0.18, 1)):
        s.land(ln.astype(F), s.mid("#86a85a", d), to=s.mid(s.leaf[0], d), base=hz, grain=0.7)
        cl = []
        for _ in range(150):
            x = s.r.random() * W
            y = ln[min(s.w - 1, int(x))] + (hz * H - ln[min(s.w - 1, int(x))]) * s.r.random() ** (1.2 if side else 2.2)
            if hz * H - ln[min(s.w - 1, int(x))] > s.u:
                cl.append((x, min(y, hz * H - s.u * 0.7), s.u * s.r.uniform(0.8, 1.7)))
        cl.sort(key=lambda c: c[1])
        s.foliage(cl, s.tones(s.leaf, d), 0.50, 0.55)
    for i, c in enumerate(("#f2e6cc", "#e8a04c", "#7fb0b8", "#f4ecdc", "#d0604a", "#e9cf7a")):
        house(
            s,
            (0.735 + i * 0.044 + s.pan) * W,
            hz * H - s.u * 0.3,
            3.9 * s.u,
            s.u * s.r.uniform(2.6, 3.6),
            c,
            "#5b6470",
            0.10,
            side=0.18,
            windows=2,
            chimney=True,
        )
    s.ink(
        [(W * 0.70, hz * H - s.u * 0.8), (W, hz * H - s.u * 0.8), (W, hz * H + s.u * 0.6), (W * 0.705, hz * H + s.u * 0.4)],
        s.mid("#9a9284", 0.1),
        to=s.shd("#6a665f"),
    )
    house(s, 0.14 * W, hz * H - 3 * s.u, 4.6 * s.u, 2.2 * s.u, "#f4ecdc", "#5b6470", 0.3, windows=3, chimney=True)
    for x, y, k, c in ((0.40, 0.004, 1.6, "#3f6a84"), (0.47, 0.012, 2.2, "#b5402f"), (0.64, 0.02, 2.7, "#f0e6d0"), (0.54, 0.006, 1.5, "#e8dcc0")):
        boat(s, (x + s.pan) * W, (hz + 0.003) * H, k * s.u, c)
    s.water(hz, mix(s.sky_inks[2], s.haze, 0.5), 0.22, mix(s.sky_inks[0], s.shd("#3f7480"), 0.4), 1.0)
    s.dashes(hz + 0.01, 1.0, mix(s.sky_inks[3], "#ffffff", 0.25), 240, 0.58 + s.pan, 0.10, 1.0, 0.65)
    s.dashes(hz + 0.02, 1.0, s.shd("#3a6270"), 260, 0.45, 0.4, 1.2, 0.35)

    def moored(x, y, k, c, sail=False):
        px, py = x * W, y * H
        s.ink(
            [
                [
                    (px + q * k * s.u - s.u * 0.5, py + s.u * (0.3 + j * 0.55)),
                    (px + q * k * s.u + k * s.u * w, py + s.u * (0.2 + j * 0.55)),
                    (px + q * k * s.u + k * s.u * w * 0.8, py + s.u * (0.5 + j * 0.55)),
                ]
                for j in range(int(k * 1.6))
                for q, w in ((s.r.uniform(-0.9, -0.5), s.r.uniform(0.8, 1.5)),)
            ],
            s.shd(c),
            alpha=0.55,
        )
        if sail:
            s.ink(
                [
                    [
                        (px - k * s.u * 0.7 + s.r.uniform(-0.5, 0.5) * s.u, py + s.u * j * 0.7),
                        (px + s.u * k * 0.6, py + s.u * (j * 0.7 - 0.12)),
                        (px + s.u * k * 0.5, py + s.u * (j * 0.7 + 0.3)),
                    ]
                    for j in range(2, int(k * 3))
                ],
                s.lit(sail),
                alpha=0.4,
            )
        boat(s, px, py, k * s.u, c, sail)

    moored(0.53 + s.pan, 0.66, 4.2, "#2f6c7a")
    moored(0.30 + s.pan, 0.74, 8.5, "#a8382c", "#d9a05a")
    for i in range(3):
        x, y = (0.64 + i * 0.05) * W, (0.63 + 0.012 * i) * H
        s.ink(ell(x, y, s.u * 0.5, s.u * 0.42), s.lit("#e8763a"), to=s.shd("#8a3a2a"), ang=0)
    # the pier on the right, with people looking out
    deck = [(W * 0.74, H * 0.80), (W * 1.02, H * 0.77), (W * 1.02, H * 1.02), (W * 0.80, H * 1.02)]
    for i in range(4):
        x = W * (0.755 + 0.012 * i)
        s.ink(box(x, H * (0.82 + 0.055 * i), x + s.u * 1.3, H * (0.92 + 0.06 * i)), s.shd("#5a4a42"))
    s.ink(deck, s.lit("#c9a87c"), to=s.mid("#97785a"), grain=0.7)
    s.ink([(W * 0.74, H * 0.80), (W * 0.80, H * 1.02), (W * 0.775, H * 1.02), (W * 0.74, H * 0.825)], s.shd("#5a4a42"))
    s.ink(
        [
            [
                (W * (0.74 + 0.06 * t), H * (0.80 + 0.22 * t)),
                (W * 1.02, H * (0.77 + 0.25 * t)),
                (W * 1.02, H * (0.774 + 0.25 * t)),
                (W * (0.74 + 0.06 * t), H * (0.803 + 0.22 * t)),
            ]
            for t in (0.10, 0.22, 0.36, 0.52, 0.70, 0.88)
        ],
        s.shd("#6a5240"),
        alpha=0.6,
    )
    s.figure(0.845 * W, 0.885 * H, 12.5 * s.u, coat="#d8b04a", back=True)
    s.figure(0.885 * W, 0.89 * H, 7.6 * s.u, coat="#b5402f", back=True)
    s.figure(0.93 * W, 0.90 * H, 13 * s.u, coat="#2f6c7a", back=True)
    s.birds(0.34, 0.24, 8, 1.2, s.lit("#fdf8ea"))


def market_street(s):
    W, H = s.w, s.h
    vx, vy = (0.40 + s.pan) * W, (0.60 + s.eye) * H
    s.sky(0.66, sun=None)
    hi = mix("#ffffff", s.sky_inks[3], 0.45)
    s.cumulus(0.34, 0.34, 40, 10, hi, mix(s.sky_inks[1], s.haze, 0.5))
    s.stratus(0, 0.4, hi, 0.36, 1.4, 10, 0.55)
    P = lambda sd, z, up, off=0.0: (vx + (sd * 40 + off) * s.u / z, vy - up * s.u / z)
    k = s.u / 6.5  # church at the end of the street
    cx, cy = vx + 2 * s.u, vy + 1.6 * s.u
    s.ink([put(box(-18, 0, 26, 26), cx, cy, k), put([(-19, 26), (27, 26), (22, 40), (-14, 40)], cx, cy, k)], s.mid("#8d94a4", 0.42))
    s.ink(
        [put(box(-8, 0, 8, 62), cx, cy, k), put([(-9, 62), (0, 112), (9, 62)], cx, cy, k)], s.lit("#b5aaa0", 0.34), to=s.shd("#7a7f94", 0.36), ang=0
    )
    s.ink(
        [put([(-2, 40), (2, 40), (2, 50), (0, 54), (-2, 50)], cx, cy, k), put([(-2, 10), (2, 10), (2, 24), (0, 28), (-2, 24)], cx, cy, k)],
        s.shd("#5a6074", 0.3),
    )
    s.foliage([(vx + s.r.uniform(-9, 9) * s.u, vy + s.r.uniform(-1.5, 1) * s.u, s.u * 1.6) for _ in range(12)], s.tones(s.leaf, 0.35), 0.5)
    s.ink(box(0, vy + 1.4 * s.u, W, H), s.lit("#d2c6ae", 0.2), to=s.mid("#a0968a"), grain=0.6)
    s.ink([P(-1, 0.2, -11), P(-1, 7, -11), P(1, 7, -11), P(1, 0.2, -11)], s.lit("#c9bda8", 0.25), to=s.mid("#8d8680"), grain=0.5)
    s.ink([P(-1, 0.2, -11), P(-1, 7, -11), P(-0.55, 7, -11.2), P(-0.55, 0.2, -11.2)], s.lit("#dccfb4", 0.1), to=s.mid("#b3a58e"), ang=90)
    s.ink([P(1, 0.2, -11), P(1, 7, -11), P(0.55, 7, -11.2), P(0.55, 0.2, -11.2)], s.mid("#c9bca6", 0.1), to=s.shd("#a89a8c"))
    paints = ["#e2b13c", "#c8503c", "#3f8a8c", "#efe3c8", "#6f94b8", "#d98a94", "#7fa05a", "#e07f3a", "#8a5a86", "#f2d98c"]
    s.r.shuffle(paints)
    zs = [0.50, 0.78, 1.06, 1.40, 1.85, 2.4, 3.1, 4.0, 5.2, 7.0]
    for i in range(len(zs) - 2, -1, -1):
        for sd in (-1, 1):
            z0, z1, d = zs[i], zs[i + 1], min(0.45, 0.07 * i)
            c, up = paints[(i * 2 + (sd > 0)) % 10], s.r.uniform(22, 31)
            tone = s.lit if sd < 0 else lambda c, d: mix(s.lit(c, d), s.mid(c, d), 0.6)
            face = lambda a, b, lo, hi_: [
                P(sd, z0 * (z1 / z0) ** a, lo),
                P(sd, z0 * (z1 / z0) ** b, lo),
                P(sd, z0 * (z1 / z0) ** b, hi_),
                P(sd, z0 * (z1 / z0) ** a, hi_),
            ]
            s.ink(
                [P(sd, z1, up), (P(sd, z1, up)[0] + sd * W, P(sd, z1, up)[1]), (P(sd, z1, up)[0] + sd * W, P(sd, z1, -11)[1]), P(sd, z1, -11)],
                s.shd(c, d),
            )
            s.ink(face(0, 1, -11, up), tone(c, d), to=mix(s.shd(c, d), s.mid(c, d), 0.5) if sd > 0 else s.mid(c, d), ang=90, grain=0.6)
            roof = [P(sd, z0, up), P(sd, z1, up), P(sd, z1, up + 4.5, sd * 7), P(sd, z0, up + 4.5, sd * 7)]
            s.ink(roof, s.mid("#5f6672", d), to=s.shd("#4a505c", d))
            s.ink(face(0, 1, up - 1.2, up), s.lit("#f4ecd8", d))
            zc = (z0 + z1) / 2
            s.ink(
                [
                    P(sd, zc * 0.97, up + 2, sd * 5),
                    P(sd, zc * 1.05, up + 2, sd * 5),
                    P(sd, zc * 1.05, up + 10, sd * 5),
                    P(sd, zc * 0.97, up + 10, sd * 5),
                ],
                s.mid("#a5583f", d),
                to=s.shd("#7a4638", d),
            )
            frames, panes = [], []
            for a in (0.14, 0.44, 0.74):
                for lo in (6, 14.5):
                    frames.append(face(a - 0.02, a + 0.17, lo - 0.5, lo + 5.4))
                    panes.append(face(a, a + 0.15, lo, lo + 5))
            s.ink(frames, s.lit("#f8f0dc", d))
            s.ink(panes, s.shd("#4a6474", d), to=s.mid("#9db4b8", d), ang=-60)
            bars = [face(a, a + 0.15, lo + 2.4, lo + 2.7) for a in (0.14, 0.44, 0.74) for lo in (6, 14.5)]
            s.ink(bars, s.lit("#f8f0dc", d))
            c2 = paints[(i * 2 + (sd > 0) + 4) % 10]  # shopfront: frame, fascia, lit window, awning
            s.ink(face(0.03, 0.97, -11, 3.6), s.shd(c2, d, 1.25), to=s.shd(c2, d))
            s.ink(face(0.08, 0.58, -8.4, -0.2), "#ffe2a0" if d < 0.3 else s.lit("#ffe2a0", d), to=s.mid("#c98a5a", d), grain=0.8)
            s.ink(face(0.68, 0.90, -11, -0.2), s.shd("#3c4a54", d))
            s.ink(face(0.02, 0.98, 1.0, 3.6), s.lit(c2, d, 1.1))
            s.ink([face(a, a + 0.012, -8.4, -0.2) for a in (0.24, 0.41)], s.shd(c2, d))
            if (i + (sd > 0)) % 2 == 0:
                for q in range(8):
                    a, b = 0.03 + 0.92 * q / 8, 0.03 + 0.92 * (q + 1) / 8
                    za, zb = z0 * (z1 / z0) ** a, z0 * (z1 / z0) ** b
                    s.ink(
                        [P(sd, za, 1), P(sd, zb, 1), P(sd, zb, -2.6, -sd * 5), P(sd, za, -2.6, -sd * 5)],
                        s.lit("#fbf2dc", d) if q % 2 else s.lit(paints[(i + 7) % 10], d),
                    )
    if s.weather == "rain":
        a = int(vy + 5 * s.u)
        n = s.floor_noise(a / H, 3, 12, 3)
        rows = np.clip(a - 1 - (np.arange(n.shape[0]) * 0.9).astype(int), 0, a - 1)
        m = smooth(0.44, 0.52, n)[..., None] * 0.30
        s.a[a:] = s.a[a:] * (1 - m) + s.a[rows] * m
    for j, z in enumerate((0.85, 1.5, 2.6, 4.2)):  # bunting
        for sd in (1,):
            a, b = P(-1, z, 25), P(1, z * 1.15, 23)
            fl = [[], [], [], []]
            for q in range(19):
                t, t2 = q / 19, (q + 0.72) / 19
                y = lambda t: a[1] + (b[1] - a[1]) * t + math.sin(math.pi * t) * 4.5 * s.u / z
                fl[q % 4].append(
                    [
                        (a[0] + (b[0] - a[0]) * t, y(t)),
                        (a[0] + (b[0] - a[0]) * t2, y(t2)),
                        (a[0] + (b[0] - a[0]) * (t + t2) / 2, y(t) + 3.0 * s.u / z),
                    ]
                )
            for f, c in zip(fl, ("#c8503c", "#f2d98c", "#3f8a8c", "#efe3c8")):
                s.ink(f, s.lit(c, 0.08 * j))
    for z, n in ((4.6, 6), (3.3, 6), (2.35, 5), (1.7, 3)):
        for i in range(n):
            x, y = P(s.r.uniform(-0.85, 0.85), z, -11)
            s.figure(x, y, 13.5 * s.u / z * s.r.uniform(0.88, 1.06), stride=s.r.uniform(0.02, 0.07), dark=0.0)
    for q, hh, c in ((0.575, 17, "#2f6c7a"), (0.625, 11, "#d98f2b"), (0.67, 16.4, "#8c3b52")):
        s.figure(q * W, 0.955 * H, hh * s.u, coat=c, back=True, arms=((-0.15, 0.44), (0.15, 0.44)))
    if s.weather == "rain":
        s.rain(300, 0.12, "#f6f4ea", 0.18, 4)


def children(s):
    """Children from behind, painting a long sheet by a tall window."""
    W, H = s.w, s.h
    s.ink(box(0, 0, W, H), s.mid("#e9d3a8"), to=s.shd("#c9a888"), ang=20, grain=0.6)
    x0, x1, y0, y1 = 0.14 * W, 0.86 * W, 0.08 * H, 0.54 * H
    full = s.a.copy()
    s.sky(0.46, sun=(0.66, 0.20), size=3.0)
    s.cumulus(0.34, 0.30, 30, 7, "#fffaf0", mix(s.sky_inks[1], s.haze, 0.5))
    for i, (y, d) in enumerate(((0.36, 0.5), (0.42, 0.3), (0.47, 0.1))):
        s.land(s.ridge(y, 0.05, 2 + i, False), s.mid(("#7d97a0", "#86a85a", "#a9c25a")[i], d), to=s.mid(s.leaf[1], d), span=0.15, base=0.6)
    s.foliage([(s.r.random() * W, (0.50 + s.r.random() * 0.05) * H, s.u * s.r.uniform(2, 3.4)) for _ in range(30)], s.tones(s.leaf, 0.1), 0.7, 0.8)
    s.tree(0.30 * W, 0.55 * H, 30 * s.u, s.tones(s.leaf, 0.05), wide=0.40)
    m = np.zeros((s.h, s.w, 1), F)
    m[int(y0) : int(y1), int(x0) : int(x1)] = 1
    s.a = s.a * m + full * (1 - m)
    fr = s.lit("#fbf4e2")
    s.ink(
        [box(x0 - s.u, y0 - s.u, x1 + s.u, y0), box(x0 - s.u, y0, x0, y1), box(x1, y0, x1 + s.u, y1)]
        + [box(x0 + (x1 - x0) * q - s.u * 0.4, y0, x0 + (x1 - x0) * q + s.u * 0.4, y1) for q in (0.25, 0.5, 0.75)]
        + [box(x0, 0.24 * H, x1, 0.24 * H + s.u * 0.55)],
        fr,
        to=s.mid("#e8d6b8"),
        ang=90,
    )
    s.ink(box(x0 - 2.5 * s.u, y1, x1 + 2.5 * s.u, y1 + 1.6 * s.u), fr)
    s.ink(box(x0 - 2 * s.u, y1 + 1.6 * s.u, x1 + 2 * s.u, y1 + 2.6 * s.u), s.shd("#c9a888"), alpha=0.6)
    for i in range(7):  # paper birds and pictures drying on strings
        x = W * (0.03 + 0.94 * i / 6)
        if not x0 - 3 * s.u < x < x1 + 3 * s.u:
            for q in range(3):
                yy = H * (0.14 + 0.15 * q)
                s.ink(put(box(-3, -4, 3, 4), x, yy, s.u), s.lit("#fdf8ea"))
                s.ink(
                    put([(-2.5, -3.5), (-2.5, -1), (-1, 0.5), (0.5, -0.6), (2.5, 0.8), (2.5, -3.5)], x, yy, s.u),
                    s.mid(s.r.choice(["#2f6c7a", "#d98f2b", "#7c8f4e", "#b5402f"])),
                )
                s.ink(ell(*put([(1, 2)], x, yy, s.u)[0], s.u * 0.8), s.lit("#e9b53c"))
    s.ink([(0, 0.74 * H), (W, 0.74 * H), (W, H), (0, H)], s.lit("#b98a5c"), to=s.shd("#8a6244"), grain=0.7)
    for i in range(4):
        a, b = x0 + (x1 - x0) * i / 4 + s.u, x0 + (x1 - x0) * (i + 1) / 4 - s.u
        s.ink([(a - 6 * s.u, 0.76 * H), (b - 6 * s.u, 0.76 * H), (b - 13 * s.u, H), (a - 13 * s.u, H)], s.lit("#ffe0a0", 0, 1.1), alpha=0.35)
    ty = 0.70 * H
    s.ink([(0.06 * W, ty), (0.94 * W, ty), (0.985 * W, ty + 10 * s.u), (0.015 * W, ty + 10 * s.u)], s.lit("#e0bd88"), to=s.mid("#c09766"), grain=0.7)
    s.ink(box(0.015 * W, ty + 10 * s.u, 0.985 * W, ty + 11.6 * s.u), s.shd("#9a7048"))
    s.ink(
        [(0.09 * W, ty + 0.9 * s.u), (0.91 * W, ty + 0.9 * s.u), (0.945 * W, ty + 8.2 * s.u), (0.055 * W, ty + 8.2 * s.u)],
        s.lit("#fffaf0"),
        to=s.lit("#f0e4cc"),
        grain=0.6,
    )
    for c, y, amp in (
        ("#7fb0c4", 1.6, 1.0),
        ("#6f94a8", 3.4, 1.4),
        ("#8fae4e", 5.2, 1.0),
        ("#4f8a5a", 6.6, 0.7),
    ):  # the mural they share: hills, river, sun
        pts = [(W * (0.085 + 0.83 * i / 40), ty + s.u * (y - amp * math.sin(i * 0.42 + y) - 0.5 * math.sin(i * 0.9))) for i in range(41)]
        s.ink(pts + [(0.93 * W, ty + 7.9 * s.u), (0.07 * W, ty + 7.9 * s.u)], s.mid(c), dry=0.35)
    for x, c in ((0.40, "#e9b53c"), (0.56, "#d0604a")):
        s.ink(ell(x * W, ty + 2.3 * s.u, 2.0 * s.u, 0.9 * s.u), s.lit(c))
    for x in np.linspace(0.10, 0.90, 9):
        y = ty + s.r.uniform(0.3, 0.9) * s.u
        s.ink(box(x * W, y - 2.2 * s.u, x * W + 1.7 * s.u, y), s.lit(s.r.choice(COATS)), to=s.shd("#6a5a60"), ang=0)
        s.ink(
            [q for d in (0.3, 0.9, 1.4) for q in limb(x * W + d * s.u, y - 2 * s.u, x * W + (d * 1.5 - 0.3) * s.u, y - 4.6 * s.u, s.u * 0.2)],
            s.mid("#a8763f"),
        )
    for i, x in enumerate(np.linspace(0.13, 0.87, 6)):  # one hand paints, the other rests on the table
        hh, sg, fx = s.r.uniform(36, 41) * s.u, (-1) ** i, x * W + s.r.uniform(-1, 1) * s.u
        paint, rest = (-sg * 0.16, 0.64, -sg * 0.19, 0.72), (sg * 0.15, 0.645, sg * 0.185, 0.665)
        tip = (fx - sg * 0.235 * hh, 1.105 * H - 0.79 * hh)
        s.ink(limb(fx - sg * 0.185 * hh, 1.105 * H - 0.715 * hh, *tip, s.u * 0.34), s.lit("#c08a4a"))
        s.ink(ell(*tip, s.u * 0.42, s.u * 0.6), s.lit(("#d0604a", "#e9b53c", "#4f8a9c")[i % 3]))
        arms = (paint, rest) if sg > 0 else (rest, paint)
        s.figure(fx, 1.105 * H, hh, arms, COATS[i % len(COATS)], back=True, skirt=i % 2 == 0, stride=0.01, child=True)
