"""Arvada: water tower, creek, grain elevator, tree planting, handshake."""

import math

import numpy as np

from sistercities.demo.draw.poster import F, LEAF, box, ell, limb, mix, path, put, ribbon, smooth


def front_range(s, y, amp=1.0):
    """Foothills and the snow peaks behind them."""
    snow = mix("#fffaf4", s.haze, 0.06) if s.light != "dusk" else mix("#ffc9b0", s.haze, 0.2)
    n = s.wave(7, 5, 0.50)
    X = s.X / s.w
    massif = (0.10 * np.exp(-(((X - 0.30 - s.pan) / 0.16) ** 2)) + 0.06 * np.exp(-(((X - 0.72) / 0.12) ** 2))) * amp
    line = ((y - massif - (n - 0.35) * 0.12 * amp) * s.h).astype(F)
    s.land(line, s.mid("#9a8f9c", 0.22), to=mix(s.haze, s.shd("#7a86a4", 0.4), 0.3), span=0.20, base=min(1, y + 0.25))
    s.peaks(line, 0.05, s.shd("#5f6f9c", 0.16), snow, -1, 0.95, 0.018)
    s.mist(y - 0.03, y + 0.07, None, 0.45)
    ln = s.ridge(y + 0.035, 0.035 * amp, 4, True, 0.42)
    s.land(ln, s.mid("#94868a", 0.26), to=mix(s.haze, s.shd("#6a7890"), 0.4), span=0.12, base=min(1, y + 0.3))
    s.peaks(ln, 0.05, s.shd("#55668a", 0.2), None, -1, 0.42, 0.03)
    ln = s.ridge(y + 0.080, 0.022 * amp, 4, True, 0.4)
    s.land(ln, s.mid("#8c8a62", 0.2), to=s.mid(s.grass[1], 0.3), span=0.10, base=min(1, y + 0.35))
    s.peaks(ln, 0.03, s.shd("#44605f", 0.12), None, -1, 0.35, 0.03)


def water_tower(s):
    W, H = s.w, s.h
    s.sky(0.62, sun=(0.86, 0.20 + s.eye) if s.light in ("dusk", "golden", "dawn") else None)
    s.stratus(0.02, 0.44, mix(s.sky_inks[3], "#ffffff", 0.3), 0.42, 1.4, 10, 0.6)
    front_range(s, 0.56 + s.eye, 1.0)
    s.land(s.ridge(0.70, 0.012, 4, False), s.mid(s.leaf[0], 0.18), to=s.shd(s.leaf[0]), grain=0.6)
    s.foliage(
        [(s.r.random() * W, (0.69 + s.r.random() * 0.10) * H, s.u * s.r.uniform(2.2, 4.6)) for _ in range(80)], s.tones(s.leaf, 0.16), 0.85, 0.9
    )
    x, y, k = (0.335 + s.pan) * W, 0.86 * H, s.u
    Q = lambda pts: put(pts, x, y, k)
    steel, roofc = "#dfe3dc", "#b5523c"
    legs = []
    for lx, top in ((-8.6, -6.4), (8.6, 6.4), (-3.4, -2.6), (3.4, 2.6)):
        legs += limb(*Q([(lx, 0)])[0], *Q([(top, 39)])[0], 0.75 * k, 0.62 * k)
    for h in (9, 19, 29):
        w = 8.6 - 2.2 * h / 39
        legs += limb(*Q([(-w, h)])[0], *Q([(w, h)])[0], 0.45 * k)
        w2 = 8.6 - 2.2 * (h + 10) / 39
        for a, b in ((-1, -0.4), (-0.4, -1), (0.4, 1), (1, 0.4)):
            legs += limb(*Q([(a * w, h)])[0], *Q([(b * w2, h + 10)])[0], 0.16 * k)
    s.ink(legs, s.mid("#8f9aa0"), to=s.shd("#6d7684"), ang=0)
    s.ink(Q(box(-0.9, 0, 0.9, 36)), s.lit("#c2c8c4"), to=s.shd("#8a93a0"), ang=0)
    s.ink(
        Q([(-9.2, 40)] + [(9.2 * math.cos(a), 40 - 5.4 * math.sin(a)) for a in np.linspace(math.pi, 0, 24)] + [(9.2, 40)]),
        s.lit(steel, 0, 0.94),
        to=s.shd(steel),
        ang=15,
    )
    s.ink(Q(box(-9.2, 40, 9.2, 52)), s.lit(steel), to=s.shd(steel), ang=0, grain=0.6)
    s.ink(
        [Q(box(-10.4, 39.2, 10.4, 40.2))]
        + [Q(box(a - 0.1, 40, a + 0.1, 42)) for a in np.arange(-10.2, 10.3, 1.7)]
        + [Q(box(-10.4, 41.8, 10.4, 42.1))],
        s.shd("#6d7684"),
    )
    s.ink([Q(box(-9.2, h, 9.2, h + 0.18)) for h in (44.2, 48.2)], s.shd("#9aa4ac"), alpha=0.6)
    s.ink(Q(box(-9.2, 45.2, 9.2, 47.4)), s.lit("#b5523c"), to=s.shd("#b5523c"), ang=0, alpha=0.9)
    s.ink(Q([(-10.2, 52), (10.2, 52), (0.5, 59), (-0.5, 59)]), s.lit(roofc), to=s.shd(roofc), ang=10, grain=0.5)
    s.ink([Q(box(-0.4, 59, 0.4, 60.4)), ell(*Q([(0, 60.8)])[0], 0.6 * k)], s.mid("#dba63e"))
    # Olde Town: brick fronts along the street
    px, i = -2 * k, 0
    bricks = ["#a8503a", "#c07a4e", "#8a4a40", "#d0a878", "#b5634a", "#7f5a50", "#c9905c"]
    while px < W + 4 * k:
        w, h = s.r.uniform(13, 18) * k, s.r.uniform(10.5, 15.5) * k
        if abs(px + w / 2 - x) < 9 * k:
            h = 9.5 * k
        c, gy = bricks[i % 7], 0.905 * H
        s.ink(box(px, gy - h, px + w, gy), s.lit(c), to=s.mid(c), ang=60, grain=0.8)
        s.ink(box(px + w - 0.8 * k, gy - h, px + w, gy), s.shd(c), alpha=0.8)
        s.ink(
            [box(px - 0.3 * k, gy - h - 0.5 * k, px + w + 0.3 * k, gy - h + 0.7 * k), box(px, gy - 5.9 * k, px + w, gy - 5.3 * k)],
            s.lit("#ead9b8"),
            to=s.mid("#c9a880"),
            ang=0,
        )
        s.ink([box(px + a * k, gy - h + 0.7 * k, px + (a + 0.5) * k, gy - h + 1.5 * k) for a in np.arange(0.3, w / k - 0.5, 1.1)], s.shd(c))
        n = 3 if w < 16 * k else 4
        if h > 10 * k:
            s.ink(
                [
                    box(
                        px + w * (q + 0.5) / n - 1.0 * k,
                        gy - h + 2.6 * k,
                        px + w * (q + 0.5) / n + 1.0 * k,
                        gy - h + 2.6 * k + min(4.2, h / k - 9) * k,
                    )
                    for q in range(n)
                ],
                s.shd("#46525c"),
                to=s.mid("#f0c078") if i % 3 else s.shd("#5a6a74"),
                ang=-60,
            )
        s.ink(
            box(px + 1.2 * k, gy - 4.4 * k, px + w - 1.2 * k, gy - 0.6 * k),
            "#ffd690" if s.light != "day" else s.shd("#5a6a74"),
            to=s.mid("#a8603c"),
            grain=0.8,
        )
        s.ink(
            [
                box(px + 1.2 * k + (w - 2.4 * k) * q - 0.18 * k, gy - 4.4 * k, px + 1.2 * k + (w - 2.4 * k) * q + 0.18 * k, gy)
                for q in (0.0, 0.33, 0.66, 1.0)
            ],
            s.shd("#46383a"),
        )
        aw = ["#2f6c7a", "#b5402f", "#d9a03c", "#5c7a4a"][i % 4]
        for q in range(9):
            a, b = px + 1 * k + (w - 2 * k) * q / 9, px + 1 * k + (w - 2 * k) * (q + 1) / 9
            s.ink(
                [(a, gy - 5.2 * k), (b, gy - 5.2 * k), (b + (b - px - w / 2) * 0.03, gy - 3.7 * k), (a + (a - px - w / 2) * 0.03, gy - 3.7 * k)],
                s.lit(aw) if q % 2 else s.lit("#f4e8cc"),
            )
        px, i = px + w, i + 1
    s.ink(box(0, 0.905 * H, W, H), s.lit("#cdb99a", 0.05), to=s.shd("#9a8a80"), grain=0.6)
    s.ink(box(0, 0.905 * H, W, 0.92 * H), s.lit("#e2d3b4"))
    s.ink(
        [
            [(W * q, 0.962 * H), (W * (q + 0.06), 0.962 * H), (W * (q + 0.055), 0.968 * H), (W * (q - 0.008), 0.968 * H)]
            for q in np.arange(0, 1, 0.12)
        ],
        s.lit("#f4e8c8"),
        alpha=0.8,
    )
    for q, n in ((0.06, 2), (0.24, 1), (0.46, 3), (0.60, 2), (0.80, 3), (0.93, 1)):
        s.crowd(q, q + 0.02 * n, 0.925, 6.6 * k, n, 0.004)
    for tx, th in ((0.16, 17), (0.52, 18), (0.72, 15), (0.985, 34), (0.0, 30)):
        s.tree(tx * W, (0.925 if th < 30 else 0.99) * H, th * k, s.tones(s.leaf), wide=0.36, dab=0.62 if th < 30 else 0.95, bare=s.season == "winter")
    s.birds(0.60, 0.22, 7)
    if s.weather == "snow":
        s.snow()


def creek(s):
    W, H, hz = s.w, s.h, 0.56 + s.eye
    s.sky(0.56, sun=None)
    s.stratus(0.02, 0.42, mix(s.sky_inks[3], "#ffffff", 0.3), 0.42, 1.5, 10, 0.6)
    front_range(s, 0.40 + s.eye, 0.8)
    s.land(s.ridge(hz - 0.01, 0.014, 4, False), s.lit(s.grass[1], 0.22), to=s.mid(s.grass[1]), grain=0.6)
    s.foliage(
        [(x, (hz - s.r.random() * 0.045) * H, s.u * s.r.uniform(2, 4.2)) for x in [s.r.random() * W for _ in range(70)]],
        s.tones(s.leaf, 0.32),
        0.7,
        0.85,
    )
    for x, y, h in ((0.10, 0.02, 30), (0.20, 0.0, 24), (0.70, -0.005, 22), (0.78, 0.01, 28), (0.88, 0.02, 33), (0.62, -0.01, 16), (0.31, -0.01, 17)):
        s.tree((x + s.pan) * W, (hz + y) * H, h * s.u, s.tones(s.leaf, 0.16), wide=0.34, dab=0.75, n=11)
    br, by = s.shd("#5a3f36"), (hz + 0.012) * H  # footbridge
    bx0, bx1 = (0.385 + s.pan) * W, (0.545 + s.pan) * W
    arc = [(bx0 + (bx1 - bx0) * i / 20, by - s.u * (1.6 + 2.0 * math.sin(math.pi * i / 20))) for i in range(21)]
    s.ink(path(arc, s.u * 0.8), br)
    s.ink(path([(a, b - 2.6 * s.u) for a, b in arc], s.u * 0.30), br)
    s.ink([q for a, b in arc[::2] for q in limb(a, b, a, b - 2.6 * s.u, s.u * 0.24)], br)
    for q in (7, 9, 13):
        s.figure(arc[q][0], arc[q][1], (6.0 if q != 9 else 4.2) * s.u, back=True)
    s.water(hz + 0.012, mix(s.sky_inks[1], s.shd("#4a7f8c"), 0.4), 0.28, s.shd("#2f5f6c"), 0.9)
    s.dashes(hz + 0.02, 1.0, mix(s.sky_inks[3], "#ffffff", 0.3), 130, 0.47, 0.12, 0.8, 0.6)
    s.dashes(hz + 0.02, 1.0, s.shd("#34606c"), 150, 0.5, 0.2, 1.1, 0.4)
    for sg in (-1, 1):  # banks close in on the bending creek
        f = lambda t: (0.46 + s.pan + sg * (0.035 + 0.22 * t**1.5) + 0.13 * math.sin(t * 4.4) * (1 - 0.35 * t)) * W
        edge = [(f(i / 40), (hz + 0.008 + (1.02 - hz) * (i / 40) ** 1.1) * H) for i in range(41)]
        out = -9 if sg < 0 else W + 9
        s.ink(
            [(a - sg * s.u * (0.3 + 1.0 * i / 40), b + s.u * 0.3) for i, (a, b) in enumerate(edge)] + [(out, H * 1.02), (out, hz * H)],
            s.shd("#5a4a3a"),
        )
        s.ink(edge + [(out, H * 1.02), (out, hz * H)], s.lit(s.grass[2], 0.08), to=mix(s.mid(s.grass[1]), s.mid(s.grass[0]), 0.5), grain=0.6)
        for q in range(5):
            x, y = W * (0.05 if sg < 0 else 0.99), H * (hz + 0.04 + 0.07 * q)
            s.ink(ell(x - s.u * 8, y, s.u * (8 + 1.5 * q), s.u * (0.5 + 0.25 * q)), s.shd(s.grass[0]), alpha=0.35)
        st = [[], [], []]
        for _ in range(150):
            t = s.r.random()
            r = s.u * (0.2 + 1.3 * t) * s.r.uniform(0.5, 1.1)
            st[s.r.randrange(3)].append(
                ell(f(t) - sg * s.r.gauss(0, 1.0) * s.u * (0.3 + t), (hz + 0.008 + (1.02 - hz) * t**1.1) * H, r, r * 0.55, 10)
            )
        for q, c in zip(st, (s.shd("#6a6258"), s.mid("#a89c88"), s.lit("#d9cdb2"))):
            s.ink(q, c)
        lv = [
            (min(W, max(0, f(t) + sg * s.u * (2 + 40 * s.r.random()) * (0.3 + t))), (hz + 0.02 + (1.0 - hz) * t**1.1) * H, t)
            for t in [s.r.random() for _ in range(210)]
        ]
        for j, c in enumerate((s.mid(s.leaf[1]), s.lit(s.leaf[2]), s.shd(s.leaf[0]))):
            s.ink([ell(a, b, s.u * (0.12 + 0.42 * t), s.u * (0.06 + 0.18 * t), 7) for a, b, t in lv[j::3]], c)
    s.ink(
        ribbon(lambda t: W * (0.70 + 0.22 * t**1.4 + s.pan), lambda t: W * (0.006 + 0.055 * t**1.3), (hz + 0.01) * H, 1.02 * H),
        s.lit("#dcc9a4", 0.1),
        to=s.mid("#b89f80"),
        grain=0.7,
    )
    for t, hh in ((0.22, 1), (0.25, 0.68), (0.60, 1)):
        s.figure(
            W * (0.70 + 0.22 * t**1.4 + s.pan) + (s.u * 1.6 if hh < 1 else 0), (hz + 0.01 + (1.01 - hz) * t) * H, s.u * (4 + 13 * t) * hh, back=True
        )
    s.tree(0.045 * W, 0.96 * H, 66 * s.u, s.tones(s.leaf), wide=0.30, dab=1.15, n=15, dens=1.3)
    s.tree(0.965 * W, 0.80 * H, 48 * s.u, s.tones(s.leaf), wide=0.30, dab=1.0, n=13)
    s.tufts(0.88, 1.04, (s.shd(s.grass[0]), s.mid(s.grass[1]), s.lit(s.grass[2])), 300, 1.3, where=lambda x, y: not 0.27 * W < x < 0.72 * W)
    s.ink([ell(s.r.random() * W, s.r.uniform(0.2, 0.95) * H, s.u * 0.34, s.u * 0.2, 7, s.r.uniform(0, 3)) for _ in range(46)], s.lit(s.leaf[2]))


def elevator(s):
    W, H, hz = s.w, s.h, 0.74 + s.eye
    s.sky(hz, sun=(0.30 + s.pan, hz - 0.09), size=5.5, bands=11)
    s.stratus(0.02, hz * 0.95, mix(s.sky_inks[2], s.sky_inks[3], 0.5), 0.46, 1.3, 11, 0.75, mix(s.sky_inks[3], "#fff0d0", 0.5))
    s.stratus(0.1, hz * 0.8, mix(s.sky_inks[0], s.sky_inks[1], 0.6), 0.36, 1.2, 14, 0.6)
    s.land(s.ridge(hz - 0.055, 0.04, 4, True, 0.45), s.shd("#6a6a94", 0.50), to=s.haze, span=0.08, base=hz)
    s.land(s.ridge(hz + 0.0, 0.012, 3, False), s.mid(s.grass[1], 0.25), to=s.shd(s.grass[0]), grain=0.7)
    n = s.floor_noise(hz + 0.01, 2, 10, 4)
    s.wash(smooth(0.52, 0.56, n + (s.speck[-n.shape[0] :] - 0.5) * 0.12) * 0.7, s.lit(s.grass[2], 0.1), s.h - n.shape[0])
    x, y, k = (0.655 + s.pan) * W, (hz + 0.045) * H, s.u
    Q = lambda pts: put(pts, x, y, k)
    wood, side = "#e8c9a0", "#a87f74"

    def block(x0, x1, y0, y1, dep):
        s.ink(Q(box(x0, y0, x1, y1)), s.lit(wood), to=s.lit(wood, 0, 0.86), grain=0.6)
        s.ink(Q([(x1, y0), (x1 + dep, y0 + 0.4), (x1 + dep, y1 - 0.6), (x1, y1)]), s.shd(side), to=s.shd(side, 0, 0.8))
        s.ink([Q(box(x0, h, x1, h + 0.10)) for h in np.arange(y0 + 1, y1, 1.15)], s.shd(side), alpha=0.28)

    block(-26, -8, 0, 9, 0)
    s.ink(Q([(-27, 9), (-8, 9), (-8, 12), (-25, 12.6)]), s.shd("#6a5a68"), to=s.shd("#8a5a58"), ang=0)
    for cx in (-13, -21):
        pass
    block(-9, 8, 0, 34, 7)
    s.ink(Q([(-10, 34), (9, 34), (6, 40), (-7, 40)]), s.lit("#b5653f"), to=s.mid("#a0523a"), ang=0)
    s.ink(Q([(9, 34), (15.6, 33.4), (12, 39.6), (6, 40)]), s.shd("#6a4248"))
    block(-5, 4, 40, 50, 5.4)
    s.ink(Q([(-6, 50), (5, 50), (-0.5, 55)]), s.lit(wood), to=s.mid(wood), ang=0)
    s.ink([Q([(-6.6, 49.6), (-0.5, 55.6), (-0.5, 54.5), (-5.6, 49.6)])], s.lit("#b5653f"))
    s.ink(Q([(5, 50), (-0.5, 55.5), (5, 55), (10.6, 49.4)]), s.shd("#6a4248"))
    s.ink([Q(box(a - 0.7, h, a + 0.7, h + 2)) for a, h in ((-0.5, 44), (-5.5, 28), (3.6, 28), (-0.6, 20))], s.shd("#3f3a50"))
    s.ink(Q(box(-6, 0, 0, 6)), s.shd("#4a3a44"), to=s.mid("#7a4a3a"))
    s.ink([Q([(4, 34), (5.4, 34), (21.5, 6), (20.3, 5.4)])], s.shd("#6a5a68"))
    for j, cx in enumerate((20, 30)):  # steel bins
        s.ink(Q(box(cx - 5, 0, cx + 5, 15 - j * 2)), s.lit("#e0dccf"), to=s.shd("#8f94ac"), ang=0, grain=0.6)
        s.ink(
            Q([(cx - 5.6, 15 - j * 2), (cx + 5.6, 15 - j * 2), (cx + 0.6, 19 - j * 2), (cx - 0.6, 19 - j * 2)]),
            s.lit("#cfc6b8"),
            to=s.shd("#7d829c"),
            ang=0,
        )
        s.ink([Q(box(cx - 5, h, cx + 5, h + 0.12)) for h in np.arange(1, 14 - j * 2, 1.5)], s.shd("#7d829c"), alpha=0.5)
    s.foliage(
        [
            (W * q, (hz + 0.02) * H - s.r.random() * 2 * s.u, s.u * s.r.uniform(1.2, 2.6))
            for q in list(np.linspace(0.0, 0.34, 16)) + list(np.linspace(0.92, 1, 6))
        ],
        s.tones(s.leaf, 0.15),
        0.55,
    )
    vx, vy = (0.36 + s.pan) * W, (hz + 0.018) * H  # rails run to the sun
    T = lambda X, t: (vx + (X * 26 - 10) * s.u * t + s.u * 9 * t, vy + (1.04 * H - vy) * t)
    s.ink([T(-1.5, 0), T(1.5, 0), T(1.5, 1.02), T(-1.5, 1.02)], s.mid("#b08a78"), to=s.shd("#7a6468"), grain=0.8)
    ties = []
    for i in range(26):
        t, t2 = 1.16**-i, 1.16**-i * 0.955
        ties.append([T(-1.05, t), T(1.05, t), T(1.05, t2), T(-1.05, t2)])
    s.ink(ties, s.shd("#4f3a40"))
    for X in (-0.66, 0.66):
        s.ink([T(X - 0.05, 0), T(X + 0.05, 0), T(X + 0.06, 1.02), T(X - 0.06, 1.02)], s.shd("#5a4a58"))
        s.ink([T(X - 0.035, 0), T(X + 0.012, 0), T(X + 0.015, 1.02), T(X - 0.04, 1.02)], mix(s.sun_ink, s.sky_inks[3], 0.5))
    poles = []
    for i in range(6):
        z = 1.5**i
        px, py, h = vx - W * 0.40 / z, vy + H * 0.13 / z, 34 * s.u / z
        s.ink(
            limb(px, py, px, py - h, h * 0.024)
            + limb(px - h * 0.10, py - h * 0.93, px + h * 0.10, py - h * 0.93, h * 0.016)
            + limb(px - h * 0.08, py - h * 0.85, px + h * 0.08, py - h * 0.85, h * 0.016),
            s.shd("#3a3048"),
        )
        poles.append((px, py - h * 0.94, h))
    for a, b in zip(poles, poles[1:]):
        for sd in (-0.09, 0.09):
            s.ink(
                path(
                    [
                        (
                            a[0] + sd * a[2] + (b[0] + sd * b[2] - a[0] - sd * a[2]) * q / 8,
                            a[1] + (b[1] - a[1]) * q / 8 + math.sin(math.pi * q / 8) * a[2] * 0.06,
                        )
                        for q in range(9)
                    ],
                    a[2] * 0.005,
                    b[2] * 0.005,
                ),
                s.shd("#3a3048"),
            )
    s.crowd(0.80, 0.86, 0.93, 10 * s.u, 3, 0.004, back=True)
    s.tufts(
        0.84,
        1.04,
        (s.shd(s.grass[0]), s.mid(s.grass[1]), s.lit(s.grass[2])),
        700,
        1.3,
        where=lambda x, y: abs(x - T(0, (y - vy) / (1.04 * H - vy))[0]) > 26 * 1.4 * s.u * (y - vy) / (1.04 * H - vy),
    )
    s.birds(0.46, 0.28, 8)


def park(s):
    W, H = s.w, s.h
    s.sky(0.60, sun=(0.84, 0.20 + s.eye) if s.light != "day" else None)
    s.cumulus(0.62 + s.pan, 0.30, 36, 8, mix("#ffffff", s.sky_inks[3], 0.4), mix(s.sky_inks[1], s.haze, 0.5))
    s.stratus(0.0, 0.4, mix(s.sky_inks[3], "#ffffff", 0.4), 0.36, 1.4, 10, 0.5)
    front_range(s, 0.50 + s.eye, 0.8)
    s.land(s.ridge(0.64, 0.012, 3, False), s.lit(s.grass[1], 0.15), to=s.mid(s.grass[0]), grain=0.7)
    s.foliage([(s.r.random() * W, (0.63 + s.r.random() * 0.025) * H, s.u * s.r.uniform(1.6, 3.4)) for _ in range(56)], s.tones(s.leaf, 0.3), 0.6, 0.8)
    n = s.floor_noise(0.66, 2, 8, 4)
    s.wash(smooth(0.54, 0.58, n + (s.speck[-n.shape[0] :] - 0.5) * 0.12) * 0.6, s.lit(s.grass[2], 0.05), s.h - n.shape[0])


def planting(s):
    W, H = s.w, s.h
    park(s)
    s.tree(0.10 * W, 0.80 * H, 46 * s.u, s.tones(s.leaf, 0.05), wide=0.36, n=12)
    s.tree(0.93 * W, 0.76 * H, 32 * s.u, s.tones(s.leaf, 0.12), wide=0.36, n=10)
    x, y, k = (0.46 + s.pan) * W, 0.90 * H, s.u
    s.crowd(0.22 + s.pan, 0.41 + s.pan, 0.815, 13.4 * k, 5, 0.006, back=False)
    s.crowd(0.525 + s.pan, 0.72 + s.pan, 0.812, 13.4 * k, 5, 0.006, back=False)
    s.ink(ell(x, y + 0.4 * k, 9 * k, 1.7 * k), s.mid("#7a5238"), to=s.shd("#4f3628"))
    s.ink([ell(x + s.r.gauss(0, 4) * k, y - abs(s.r.gauss(0, 0.6)) * k, s.r.uniform(0.5, 1.2) * k, 0.6 * k, 9) for _ in range(40)], s.shd("#6a4632"))
    s.ink(limb(x - 2 * k, y, x - 2 * k, y - 13 * k, 0.35 * k), s.mid("#c9a26a"))
    s.tree(x, y, 30 * k, s.tones(LEAF["spring"]), wide=0.22, dab=0.62, n=8, dens=1.0, bark=s.mid("#8a6a50"))
    shovel = lambda a, b, c, d: (
        s.ink(limb(a, b, c, d, 0.34 * k), s.lit("#b5834a")),
        s.ink(put([(-0.8, 0), (0.8, 0), (0.9, -1.4), (0, -2.5), (-0.9, -1.4)], c, d, k), s.mid("#9aa4ac"), to=s.shd("#6d7684"), ang=0),
    )
    s.figure(x - 9 * k, y + 0.8 * k, 17 * k, arms=((0.06, 0.52), (0.25, 0.36)), coat="#b5402f", back=False, skirt=False)
    shovel(x - 9.5 * k, y - 9 * k, x - 4 * k, y - 0.6 * k)
    s.figure(x + 9.5 * k, y + 1.2 * k, 16.4 * k, arms=((-0.25, 0.38), (-0.06, 0.54)), coat="#2f6c7a", back=False, skirt=False)
    shovel(x + 10 * k, y - 8.6 * k, x + 4.6 * k, y - 0.2 * k)
    s.figure(x + 4 * k, y + 2.6 * k, 10.5 * k, arms=((-0.22, 0.62), (0.14, 0.46)), coat="#d98f2b", back=True)
    s.figure(x - 17 * k, y + 1.6 * k, 16.2 * k, arms=((-0.15, 0.44), (0.20, 0.70)), coat="#d8b04a", back=True, skirt=True)
    cx, cy = x + 18 * k, y + 2 * k
    s.ink(put([(-1.7, 0), (1.7, 0), (1.3, 3.6), (-1.3, 3.6)], cx, cy, k), s.lit("#7fa6b0"), to=s.shd("#4f7480"), ang=0)
    s.ink(
        path(put([(1.3, 0.8), (3.4, 3.4), (3.9, 3.3)], cx, cy, k), 0.5 * k) + path(put([(-1.3, 3), (-2.8, 2.6), (-1.6, 0.8)], cx, cy, k), 0.35 * k),
        s.mid("#6a909c"),
    )
    s.tufts(0.90, 1.05, s.tones(s.grass), 420, 1.0)


def handshake(s):
    W, H = s.w, s.h
    park(s)
    s.tree(0.07 * W, 0.82 * H, 52 * s.u, s.tones(s.leaf, 0.03), wide=0.34, n=13)
    s.tree(0.95 * W, 0.80 * H, 44 * s.u, s.tones(s.leaf, 0.06), wide=0.34, n=12)
    k, y = s.u, 0.885 * H
    cx = (0.49 + s.pan) * W
    a, b = (0.17 * W, 0.40 * H), (0.88 * W, 0.42 * H)  # pennants between the trees
    fl = [[] for _ in range(4)]
    Y = lambda t: a[1] + (b[1] - a[1]) * t + math.sin(math.pi * t) * 5 * k
    for q in range(26):
        t = q / 26
        fl[q % 4].append(
            [
                (a[0] + (b[0] - a[0]) * t, Y(t)),
                (a[0] + (b[0] - a[0]) * (t + 0.028), Y(t + 0.028)),
                (a[0] + (b[0] - a[0]) * (t + 0.014), Y(t + 0.014) + 3.2 * k),
            ]
        )
    for f, c in zip(fl, ("#b5402f", "#e9b53c", "#2f6c7a", "#f4e8cc")):
        s.ink(f, s.lit(c))
    s.ink([(0, 0.905 * H), (W, 0.885 * H), (W, H), (0, H)], s.lit("#d9c49c", 0.05), to=s.mid("#b0946e"), grain=0.7)
    s.crowd(0.17, 0.38, 0.85, 17.5 * k, 5, 0.006, back=False)
    s.crowd(0.60, 0.82, 0.85, 17.5 * k, 5, 0.006, back=False)
    s.crowd(0.20, 0.36, 0.90, 18.5 * k, 3, 0.004, back=False, arms=((-0.06, 0.60), (0.06, 0.60)))
    s.crowd(0.63, 0.79, 0.90, 18.5 * k, 3, 0.004, back=False)
    y = 0.935 * H
    s.figure(cx - 4.9 * k, y, 25 * k, arms=((-0.125, 0.43), (0.135, 0.615, 0.205, 0.60)), coat="#3b4a6b", back=False, skirt=False)
    s.figure(cx + 4.9 * k, y, 24.4 * k, arms=((-0.14, 0.62, -0.205, 0.615), (0.125, 0.43)), coat="#b5402f", back=False, skirt=True)
    s.ink([ell(cx - 0.1 * k, y - 15.0 * k, 0.95 * k, 0.62 * k, 16), ell(cx + 0.5 * k, y - 14.9 * k, 0.6 * k, 0.5 * k, 14)], s.mid("#c98f68"))
    s.tufts(0.985, 1.04, s.tones(s.grass), 240, 1.3)
