"""Jinzhou: causeway, twin pagodas, night market, port, orchard, gate."""

import math

import numpy as np

from sistercities.demo.draw.poster import F, LEAF, box, ell, house, limb, mix, path, put, ribbon, smooth


def pagoda(s, x, y, H, depth=0.12):
    """Thirteen close eaves of a Liao brick pagoda, octagonal: a lit, a middle and a shaded face."""
    inks = [mix(f(c, depth), s.haze, 0.0) for f, c in ((s.lit, "#d9b48c"), (s.mid, "#b98a66"), (s.shd, "#a8826c"))]
    eave = [f(c, depth) for f, c in ((s.lit, "#b79a80"), (s.mid, "#8b705c"), (s.shd, "#7a6a66"))]
    cuts = (-1, -0.42, 0.46, 1)
    faces, eaves, under = ([], [], []), ([], [], []), []

    def tier(y0, y1, w0, w1, out, sets):
        for i in range(3):
            a, b = cuts[i], cuts[i + 1]
            sets[i].append(put([(a * w0, y0 + out * (abs(a) > 0.9)), (b * w0, y0 + out * (abs(b) > 0.9)), (b * w1, y1), (a * w1, y1)], x, y, H))

    tier(0, 0.05, 0.165, 0.165, 0, faces)
    tier(0.05, 0.10, 0.15, 0.146, 0, faces)
    tier(0.10, 0.125, 0.158, 0.158, 0, eaves)
    tier(0.125, 0.30, 0.128, 0.124, 0, faces)
    for i in range(13):
        t = i / 12
        w = 0.128 * (1 - 0.10 * t - 0.36 * t**2.4)
        y0 = 0.30 + 0.56 * (t * 1.06 - 0.06 * t * t)
        tier(y0, y0 + 0.05, w * 0.98, w * 0.94, 0, faces)
        under.append(put([(-w * 1.12, y0 + 0.006), (w * 1.12, y0 + 0.006), (w * 0.98, y0 - 0.014), (-w * 0.98, y0 - 0.014)], x, y, H))
        tier(y0 + 0.002, y0 + 0.022, w * 1.20, w * 0.98, 0.010, eaves)
    tier(0.90, 0.935, 0.078, 0.03, 0, eaves)
    tier(0.93, 0.95, 0.03, 0.036, 0, faces)
    for sh, c in zip(faces, inks):
        s.ink(sh, c)
    s.ink(under, s.shd("#4a3c40", depth), alpha=0.75)
    for sh, c in zip(eaves, eave):
        s.ink(sh, c)
    niche = [put(box(-0.018 + d, 0.15, 0.018 + d, 0.21) + [], x, y, H) for d in (0,)] + [ell(*put([(0, 0.21)], x, y, H)[0], H * 0.018, H * 0.02)]
    s.ink(niche + [put(box(d - 0.008, 0.15, d + 0.008, 0.23), x, y, H) for d in (-0.085, 0.09)], s.shd("#5a3f3a", depth))
    s.ink(
        [
            ell(*put([(0, 0.955)], x, y, H)[0], H * 0.022, H * 0.016),
            put([(-0.012, 0.95), (0, 1.04), (0.012, 0.95)], x, y, H),
            ell(*put([(0, 1.0)], x, y, H)[0], H * 0.011),
        ],
        s.mid("#8a6f52", depth),
    )


def causeway(s):
    hz = 0.42 + s.eye
    W, H = s.w, s.h
    s.sky(hz, sun=(0.27 + s.pan, hz - 0.10))
    s.stratus(0.02, hz * 0.8, mix(s.sky_inks[3], "#ffffff", 0.25), 0.40, 1.6, 13, 0.55)
    s.stratus(hz * 0.45, hz, mix(s.sky_inks[1], s.haze, 0.4), 0.32, 1.4, 22, 0.6)
    far = (hz - 0.010 - 0.055 * smooth(0.45, 0.0, s.X / W) * s.wave(5, 4)) * H
    s.land(far, s.shd("#5d6f80", 0.62), base=hz)
    cx, X = 0.69 + s.pan, s.X / W
    ar = W / s.h
    d = (X - cx) * ar / 1.5
    peaks = np.maximum.reduce(
        [
            0.235 * np.exp(-np.abs(d / 0.075) ** 1.7),
            0.165 * np.exp(-np.abs((d - 0.105) / 0.062) ** 1.6),
            0.140 * np.exp(-np.abs((d + 0.100) / 0.056) ** 1.6),
            0.06 * np.exp(-((d / 0.18) ** 4)),
        ]
    )
    line = ((hz - peaks * (1 + (s.wave(26, 4) - 0.5) * 0.55) + 0.004) * H).astype(F)
    line[peaks < 0.006] = (hz + 0.02) * H
    g = s.leaf[0] if s.season != "winter" else "#8d959b"
    s.land(
        line,
        s.mid("#7d7360", 0.16),
        to=mix(s.haze, s.shd("#6a6a6a"), 0.35),
        base=hz + 0.004,
        relief=0.5,
        light=mix(s.lit("#d6b58c", 0.12), s.lit(s.leaf[1], 0.1), 0.22),
        dark=mix(s.shd("#55566a", 0.10), s.shd(g, 0.1), 0.3),
        scale=13,
        grain=0.6,
        span=0.34,
    )
    s.peaks(line, 0.10, mix(s.shd("#4f5470", 0.06), s.shd(g, 0.06), 0.35), None, 1, 0.92, 0.012)
    top = int(np.argmin(line))
    for q in range(46):
        x = int((cx + s.r.gauss(0, 0.07)) * W)
        s.foliage([(x, line[min(s.w - 1, x)] + s.u * s.r.uniform(0.3, 9), s.u * 0.8)], s.tones(s.leaf, 0.2), 0.28, 0.5)
    px, py = top, line[top] + s.u * 0.25
    k = s.u * 1.25
    s.ink(
        [
            put(box(-0.6, 0, 0.6, 0.8), px, py, k),
            put([(-1.1, 0.75), (0, 1.5), (1.1, 0.75)], px, py, k),
            put(box(-0.35, 1.4, 0.35, 1.75), px, py, k),
            put([(-0.7, 1.7), (0, 2.5), (0.7, 1.7)], px, py, k),
        ],
        s.shd("#7b3a30"),
    )
    s.water(hz, mix(s.sky_inks[1], s.shd("#3f7c84"), 0.45), 0.42, s.shd("#2d6470"), 1.0)
    s.dashes(hz + 0.006, 0.80, mix(s.sun_ink, s.sky_inks[3], 0.3), 260, 0.27 + s.pan, 0.07, 0.9, 0.75)
    s.dashes(hz + 0.02, 0.95, mix(s.sky_inks[2], "#ffffff", 0.2), 120, 0.5, 0.4, 0.9, 0.35)
    s.dashes(hz + 0.02, 0.95, s.shd("#3a6b78"), 120, 0.5, 0.45, 1.0, 0.4)
    # tidal flats: wet sand with pools that keep the sky
    y0 = hz + 0.05
    n = s.floor_noise(y0, 2.2, 14, 4) + (s.speck[-(s.h - int(y0 * H)) :] - 0.5) * 0.05
    yy = np.linspace(0, 1, n.shape[0], dtype=F)[:, None]
    cxl = cx - 0.02 - 0.34 * yy**0.9 + 0.11 * np.sin(yy * 4.0) * yy
    near = np.exp(-np.abs((X[None, :] - cxl) / (0.05 + 0.55 * yy)) ** 2)
    m = smooth(0.80, 0.88, n * 0.62 + near * 0.62 + 0.10 * yy)
    s.wash(m * 0.92, s.shd("#8d7a66"), int(y0 * H))
    s.wash(smooth(0.92, 0.98, n * 0.62 + near * 0.62 + 0.10 * yy) * 0.95, s.mid("#a58c6d"), int(y0 * H))
    fx = lambda t: (cx - 0.02 - 0.34 * t**0.9 + 0.11 * math.sin(t * 4.0) * t) * W
    fw = lambda t: (0.006 + 0.145 * t**1.35) * W
    for grow, c, c2 in (
        (1.75, mix(s.mid("#8f7d68"), s.haze, 0.25), s.shd("#8a7766")),
        (1.30, s.mid("#8a7763"), s.shd("#7c6a5a")),
        (1.0, s.lit("#c9ab82", 0.10), s.mid("#b3936a")),
    ):
        s.ink(
            ribbon(fx, lambda t: fw(t) * grow * (1 + 0.05 * math.sin(t * 37) + 0.03 * math.sin(t * 71)), hz * H + s.u * 0.2, H * 1.01),
            c,
            to=c2,
            grain=0.8,
        )
    sets = [[], [], []]
    for _ in range(1500):
        t = s.r.random() ** 0.75
        q, r = s.r.gauss(0, 0.42), s.u * (0.05 + 0.42 * t) * s.r.uniform(0.4, 1.2)
        sets[s.r.randrange(3)].append(ell(fx(t) + q * fw(t), (hz + (1 - hz) * t) * H, r, r * 0.5, 9))
    for sh, c in zip(sets, (s.shd("#77695a"), s.mid("#d1b48a"), s.lit("#ecd3a6"))):
        s.ink(sh, c)
    for t, q, n in ((0.05, 0, 3), (0.10, 0.1, 3), (0.17, -0.2, 3), (0.30, 0.2, 2), (0.47, -0.28, 3)):
        hgt = s.u * (0.8 + 13.5 * t)
        for i in range(n):
            s.figure(
                fx(t) + (q + (i - n / 2) * 0.30) * fw(t) + s.r.uniform(-0.2, 0.2) * hgt,
                (hz + (1 - hz) * t) * H + s.r.uniform(-0.1, 0.1) * hgt,
                hgt * s.r.choice((0.72, 1, 0.95)),
                stride=s.r.uniform(0.02, 0.08),
                back=True,
            )
    s.birds(0.42, 0.20, 8, 0.9)


def pagodas(s):
    W, H = s.w, s.h
    s.sky(0.66, sun=(0.73 + s.pan, 0.25 + s.eye), size=4.2)
    s.stratus(0.06, 0.5, mix(s.sky_inks[3], "#ffffff", 0.3), 0.40, 1.5, 12, 0.55)
    for i, (y, amp, d) in enumerate(((0.44, 0.16, 0.70), (0.53, 0.12, 0.50), (0.61, 0.09, 0.28))):
        y += s.eye
        ln = s.ridge(y, amp, 3 + i * 1.6, True, 0.46)
        s.land(ln, s.mid("#7c8f8a", d), to=mix(s.haze, s.sky_inks[3], 0.35), span=0.26, base=0.86)
        s.peaks(ln, 0.10, s.shd("#3f5c70", d * 0.9), None, -1, 0.75)
        s.mist(y + 0.02, y + 0.17, mix(s.haze, s.sky_inks[3], 0.5), 0.75)
    s.land(s.ridge(0.70 + s.eye, 0.03, 5, False), s.shd(s.leaf[0], 0.18), to=s.shd(s.leaf[0], 0.05), base=0.95)
    tn = s.tones(s.leaf, 0.12)
    s.foliage([(s.r.random() * W, (0.715 + s.eye + s.r.random() * 0.07) * H, s.u * s.r.uniform(2, 4.2)) for _ in range(80)], tn, 0.75, 0.7)
    a, b = 0.335 + s.pan, 0.555 + s.pan
    pagoda(s, b * W, (0.79 + s.eye) * H, 43 * s.u, 0.16)
    pagoda(s, a * W, (0.84 + s.eye) * H, 57 * s.u, 0.04)
    tn = s.tones(s.leaf, 0.02)
    s.foliage([(s.r.random() * W, (0.835 + s.eye + s.r.random() * 0.07) * H, s.u * s.r.uniform(2.2, 4.4)) for _ in range(64)], tn, 0.85, 0.75)
    s.ink(
        [(0, H * 0.93), (W * 0.3, H * 0.90), (W * 0.55, H * 0.885), (W, H * 0.92), (W, H), (0, H)], s.lit(s.grass[1]), to=s.shd(s.grass[0]), grain=0.7
    )
    s.ink([(W * 0.40, H * 0.892), (W * 0.46, H * 0.886), (W * 0.66, H), (W * 0.34, H)], s.lit("#d8c29a"), to=s.mid("#a98f70"), grain=0.7)
    for q, n in ((0.43, 2), (0.475, 3)):
        s.crowd(q - 0.012 * n, q + 0.012 * n, 0.925, 4.6 * s.u, n, back=True)
    bark = s.shd("#6b4636")
    for x, h in ((0.97, 62), (0.86, 40), (0.04, 46)):
        s.pine(x * W, H * 1.0, h * s.u, s.shd("#274a44"), s.mid("#4f7a58"), bark)
    s.tufts(0.95, 1.02, (s.shd(s.grass[0]), s.mid(s.grass[0])), 240, 1.0)
    s.birds(0.62, 0.30, 6, 0.8)
    if s.weather == "snow":
        s.snow()


def night_market(s):
    """One-point street: P maps (side, distance z, height over the eye) to the sheet."""
    W, H = s.w, s.h
    vx, vy = (0.60 + s.pan) * W, (0.50 + s.eye) * H
    s.sky(0.62, inks=["#0b1433", "#1b2350", "#4a3263", "#c05a62"], bands=9)
    s.stars(0.3, 70)
    s.glow(vx, vy, 44 * s.u, "#ffa050", 0.8)
    P = lambda side, z, up: (vx + side * 44 * s.u / z, vy - up * s.u / z)
    s.ink([(-W, 2 * H), P(-1.3, 9, -14), P(1.3, 9, -14), (2 * W, 2 * H)], "#f09a62", to="#1c1a3e", grain=0.5)
    s.ink(box(0, vy + 14 * s.u / 9, W, H), "#b05a62", to="#191838", grain=0.7, ang=90, alpha=0.75)
    for z in (8, 6.0, 4.5, 3.35, 2.5, 1.85, 1.3, 0.9, 0.68):
        for sd in (-1, 1):
            z2, up, d = z * 0.76, s.r.uniform(19, 29), min(0.75, max(0, z - 0.9) * 0.12)
            wall = mix(s.r.choice(["#2b2348", "#35264c", "#40283f", "#262648"]), "#c86a5e", d * 0.8)
            a, b, far = P(sd, z, up), P(sd, z2, up), sd * 2 * W
            s.ink([a, (a[0] + far, a[1]), (a[0] + far, P(sd, z, -14)[1]), P(sd, z, -14)], mix(wall, "#141430", 0.3))
            s.ink([a, b, P(sd, z2, -14), P(sd, z, -14)], wall, to=mix(wall, "#ff9c50", 0.45), ang=90, grain=0.6)
            k, tile = s.u / z, mix("#1a1836", "#c86a5e", d * 0.6)
            s.ink(
                [
                    (a[0] - sd * 2.4 * k, a[1] + 1.2 * k),
                    (b[0] - sd * 3.2 * k, b[1] + 1.6 * k),
                    (b[0] + sd * 3 * k, b[1] - 5.5 * k),
                    (a[0] + sd * 2.4 * k, a[1] - 4.5 * k),
                ],
                tile,
            )
            s.ink(
                [
                    (a[0] - sd * 2.4 * k, a[1] + 1.2 * k),
                    (b[0] - sd * 3.2 * k, b[1] + 1.6 * k),
                    (b[0] - sd * 3.6 * k, b[1] + 0.9 * k),
                    (a[0] - sd * 2.7 * k, a[1] + 0.7 * k),
                ],
                mix("#e8824a", tile, 0.2),
            )
            F = lambda t, h: P(sd, z2 + (z - z2) * t, h)
            rooms = [
                [F(t, h), F(t + 0.15, h), F(t + 0.15, h + 4.4), F(t, h + 4.4)]
                for t in (0.08, 0.31, 0.54, 0.77)
                for h in (6.5, 13.5)
                if up > h + 6 and s.r.random() < 0.75
            ]
            s.ink(rooms, mix("#ffcf78", "#d87a5a", s.r.random() * 0.4))
            s.ink(
                [[(x0, y0), (x1, y1), (x1, y1 + 0.4 * k), (x0, y0 + 0.4 * k)] for (x0, y0), (x1, y1), _, _ in [[q[0], q[1], 0, 0] for q in rooms]],
                tile,
            )
    for z in (5.4, 4.0, 3.0, 2.2, 1.62, 1.18):  # stalls, each with its keeper and its light on the paving
        for sd in (-1, 1):
            k, d = s.u / z, min(0.55, (z - 1) * 0.12)
            c = mix(s.r.choice(["#c2392f", "#d9822b", "#2f8a84", "#b8345a", "#3b62a8"]), "#d87a6a", d * 0.6)
            x0, y0 = P(sd * 0.94, z, -14)
            q = lambda a, b: (x0 - sd * a * k, y0 - b * k)
            s.glow(*q(6, 9), 19 * k, "#ffb85a", 0.8)
            for i in range(7):
                y, w = -1.2 - 1.25 * i, 8.5 * (1 - i * 0.07)
                s.ink(put([(-w, 0), (0, 0.38), (w, 0), (0, -0.38)], *q(6.3 + s.r.uniform(-1, 1), y), k), "#ffc878", alpha=0.62 - 0.075 * i)
            s.ink([q(-2, 0), q(15, 0), q(15, 16), q(-2, 16)], mix("#7a3a34", c, 0.3))
            s.ink([q(-2, 4.5), q(15, 4.5), q(15, 16), q(-2, 16)], "#ffdf9a", to="#f0934a", ang=90, grain=0.7)
            s.ink([ell(*q(a, 13.9), 1.0 * k, 1.2 * k, 14) for a in (2, 6.5, 11)], "#fff4d0")
            s.figure(
                *q(s.r.uniform(4, 9), 0.8),
                12.6 * k,
                arms=((-0.16, 0.50), (0.16, 0.50)),
                coat=s.r.choice(("#7a3440", "#3f4a6a", "#5a4a3a")),
                dark=0.35,
                back=False
            )
            for cc, n in (("#c9472f", 15), ("#e8a03a", 13), ("#8fae4a", 11)):
                s.ink([ell(*q(s.r.uniform(-0.5, 13.6), 5.3 + s.r.random() ** 2 * 1.7), k * s.r.uniform(0.6, 1.0), n=11) for _ in range(n)], cc)
            s.ink([q(-2.6, 0), q(15.6, 0), q(15.6, 5.4), q(-2.6, 5.4)], c, to=mix("#1a1836", c, 0.3), grain=0.7)
            s.ink([[q(a, 0.8), q(a + 0.35, 0.8), q(a + 0.35, 4.7), q(a, 4.7)] for a in np.arange(-1.4, 15, 2.7)], "#241c38", alpha=0.35)
            for i in range(7):  # striped awning with scallops
                e, f, g, h = -3.6 + i * 2.9, -3.6 + (i + 1) * 2.9, -2.6 + i * 2.5, -2.6 + (i + 1) * 2.5
                col = mix(c, "#fff0cc", 0.82) if i % 2 else c
                s.ink([q(e, 14.6), q(f, 14.6), q(h, 20), q(g, 20)], col, to=mix(col, "#ffb060", 0.4), grain=0.5)
                s.ink(ell(*q((e + f) / 2, 14.6), 1.45 * k, 1.15 * k, 14), mix(col, "#c86a4a", 0.35))
            s.ink([[q(a, 0), q(a + 0.5, 0), q(a + 0.5, 15), q(a, 15)] for a in (-2.4, 14.9)], "#241c38")
    for z, n, dark in ((4.4, 9, 0.35), (3.1, 9, 0.45), (2.25, 6, 0.55)):
        for i in range(n):
            x, y = P(s.r.uniform(-0.52, 0.52), z, -14)
            s.figure(x, y, 14.2 * s.u / z * s.r.uniform(0.85, 1.06), stride=s.r.uniform(0.01, 0.06), dark=dark)
    s.mist(0.36, 0.62, "#f8b488", 0.16)
    lanterns = ("#e8432f", "#f2662f", "#f6a23a")
    for j, z in enumerate((6.2, 4.7, 3.5, 2.6, 1.95, 1.42, 1.0, 0.70)):  # garlands swing from eave to eave
        (x0, y0), (x1, y1) = P(-1.02, z, 23), P(1.02, z, 22 + 2 * math.sin(j * 2))
        rope = [(x0 + (x1 - x0) * t, y0 + (y1 - y0) * t + math.sin(math.pi * t) * 6 * s.u / z) for t in np.linspace(0, 1, 29)]
        s.ink(path(rope, s.u * 0.28 / z), "#2a1830")
        for i in range(2, 29, 4):
            (x, y), r = rope[i], 2.3 * s.u / z
            c = lanterns[(i // 4 + j) % 3]
            if not (-3 * r < x < W + 3 * r and -3 * r < y):
                continue
            y += r * 1.5
            s.glow(x, y, r * 4.6, "#ff8a3c", 0.5)
            s.ink(box(x - r * 0.06, y - r * 1.5, x + r * 0.06, y), "#7a2430")
            s.ink(ell(x, y, r * 1.14, r * 0.94, 36), mix(c, "#fff0b0", 0.7), to=c, grain=0.45)
            for f in (0.38, 0.76):
                s.ink(ell(x, y, r * 1.14 * f + r * 0.03, r * 0.93, 30) + ell(x, y, r * 1.14 * f - r * 0.03, r * 0.90, 30)[::-1], "#a8322a", alpha=0.4)
            s.ink(
                [
                    box(x - r * 0.5, y - r * 1.1, x + r * 0.5, y - r * 0.84),
                    box(x - r * 0.5, y + r * 0.84, x + r * 0.5, y + r * 1.08),
                    box(x - r * 0.05, y + r, x + r * 0.05, y + r * 2),
                    box(x - r * 0.16, y + r * 1.5, x + r * 0.16, y + r * 2.2),
                ],
                "#8a2a2a",
            )
    s.dashes(0.66, 1.0, "#ffb268", 130, 0.60 + s.pan, 0.20, 1.0, 0.42)
    s.dashes(0.74, 1.0, "#2a2450", 90, 0.5, 0.3, 1.2, 0.5)
    for x, h, c, arms in (
        (0.235, 37, "#2f3f6a", None),
        (0.315, 24, "#b8453a", ((-0.10, 0.44), (0.21, 0.72))),
        (0.405, 35, "#7a3a5a", ((-0.02, 0.56), (0.12, 0.43))),
        (0.905, 33, "#33506a", None),
    ):
        x0, y = (x + s.pan) * W, 1.03 * H
        s.glow(x0 + 2 * s.u, y - h * s.u * 0.7, h * s.u * 0.6, "#ff9a50", 0.25)
        s.figure(x0, y, h * s.u, arms=arms, coat=c, back=True, dark=0.42, child=h < 26)
        if h < 26:  # the child's own small lantern
            lx, ly, r = x0 + 0.21 * h * s.u, y - 0.62 * h * s.u, 2.2 * s.u
            s.ink(limb(lx, y - 0.74 * h * s.u, lx + s.u, ly - r, s.u * 0.2), "#3a2430")
            s.glow(lx + s.u, ly, 9 * s.u, "#ff9a4a", 0.6)
            s.ink(ell(lx + s.u, ly, r * 1.1, r), "#fff0b0", to="#f2662f")


def port(s):
    W, H, hz = s.w, s.h, 0.64 + s.eye
    s.sky(hz, sun=(0.20 + s.pan, hz - 0.16), size=6)
    s.stratus(0.05, hz * 0.9, mix(s.sky_inks[3], "#ffffff", 0.2), 0.42, 1.3, 13, 0.6)
    s.stratus(0.1, hz * 0.6, mix(s.sky_inks[1], s.sky_inks[0], 0.3), 0.30, 1.6, 18, 0.5)
    s.land(s.ridge(hz - 0.035, 0.03, 4, False), s.shd("#5c6e84", 0.60), base=hz)
    inks = ["#c0452f", "#d98f2b", "#2f6c8a", "#3f7d6a", "#8a4a3a", "#d9cfae"]
    for row in range(5):
        for i in range(40):
            if s.r.random() < 0.92 - row * 0.17:
                x = W * (0.02 + i * 0.025)
                s.ink(box(x, hz * H - (row + 1) * 1.5 * s.u, x + W * 0.0235, hz * H - row * 1.5 * s.u), s.mid(s.r.choice(inks), 0.42))

    def crane(x, k, depth):
        c, y = s.shd("#4b4658", depth), hz * H
        S = lambda x0, y0, x1, y1, t: s.ink(limb(*put([(x0, y0)], x, y, k)[0], *put([(x1, y1)], x, y, k)[0], t * k), c)
        for lx in (-0.16, 0.16):
            S(lx, 0, lx * 0.9, 0.62, 0.026)
            S(lx - 0.04, 0.01, lx + 0.04, 0.01, 0.022)
        S(-0.17, 0.28, 0.17, 0.28, 0.024)
        S(-0.16, 0.05, 0.15, 0.28, 0.012)
        S(-0.15, 0.6, 0.15, 0.6, 0.03)
        S(-0.62, 0.63, 0.38, 0.63, 0.030)
        S(-0.62, 0.665, 0.38, 0.665, 0.010)
        S(-0.05, 0.63, 0.06, 0.98, 0.024)
        S(0.15, 0.63, 0.06, 0.98, 0.020)
        S(0.06, 0.98, -0.60, 0.65, 0.009)
        S(0.06, 0.98, -0.3, 0.65, 0.009)
        S(0.06, 0.98, 0.36, 0.65, 0.010)
        for i in range(16):
            S(-0.60 + i * 0.06, 0.63, -0.57 + i * 0.06, 0.665, 0.007)
        s.ink(put(box(0.18, 0.57, 0.30, 0.63), x, y, k), c)
        t = s.r.uniform(-0.5, -0.25)
        S(t, 0.63, t, 0.34, 0.005)
        s.ink(put(box(t - 0.07, 0.28, t + 0.07, 0.34), x, y, k), s.mid(s.r.choice(inks), depth * 0.6))

    for x, k, d in ((0.92, 30, 0.45), (0.80, 33, 0.36), (0.06, 30, 0.45), (0.62, 44, 0.16)):
        crane((x + s.pan) * W, k * s.u, d)
    x, y, k = (0.34 + s.pan) * W, (hz + 0.018) * H, s.u
    for row in range(4):
        for i in range(13):
            if s.r.random() < 0.9 - row * 0.12:
                s.ink(put(box(-9 + i * 2.7, 4 + row * 1.5, -6.45 + i * 2.7, 5.4 + row * 1.5), x, y, k), s.mid(s.r.choice(inks), 0.12))
    s.ink(
        [put(box(28, 4, 33, 14), x, y, k), put(box(27, 12.5, 34, 14), x, y, k), put(box(30, 14, 31, 18), x, y, k)],
        s.mid("#e8dcc4", 0.1),
        to=s.shd("#a89a94", 0.1),
        ang=0,
    )
    s.ink(put([(-14, 4.6), (-11.5, 4.2), (36, 4.2), (37, 5), (35.5, 0), (-11, 0)], x, y, k), s.shd("#6a3a44"), to=s.shd("#43304c"))
    s.ink(put([(-11.4, 1), (35.8, 1), (35.5, 0), (-11, 0)], x, y, k), s.mid("#a8402f"))
    s.water(hz + 0.018, mix(s.sky_inks[0], s.shd("#3f6c84"), 0.4), 0.42, s.shd("#2b4a68"), 0.55)
    s.dashes(hz + 0.02, 1.0, mix(s.sun_ink, s.sky_inks[3], 0.4), 300, 0.20 + s.pan, 0.05, 1.0, 0.85)
    s.dashes(hz + 0.02, 1.0, s.shd("#33506c"), 200, 0.5, 0.4, 1.3, 0.45)
    x, y, k = 0.80 * W, (hz + 0.20) * H, s.u  # tug
    s.ink(put([(-6, 2.6), (-5, 0), (5, 0), (6.5, 3), (2, 2.2)], x, y, k), s.shd("#3b3346"))
    s.ink([put(box(-1.5, 2, 3, 4.5), x, y, k), put(box(-0.5, 4.5, 2, 6.2), x, y, k)], s.mid("#d9b48a"))
    s.ink(put(box(-3.4, 2, -2.2, 6.4), x, y, k), s.mid("#b5402f"))
    s.dashes(hz + 0.19, hz + 0.23, mix(s.sky_inks[3], "#ffffff", 0.4), 26, 0.80, 0.05, 0.8, 0.8)
    s.birds(0.58, 0.2, 9, 1.1)


def orchard(s):
    W, H, hz = s.w, s.h, 0.42 + s.eye
    s.sky(hz, sun=(0.78 + s.pan, 0.17) if s.light != "day" else None)
    s.cumulus(0.22 + s.pan, hz - 0.10, 34, 8, mix("#ffffff", s.sky_inks[3], 0.4), mix(s.sky_inks[1], s.haze, 0.5))
    s.cumulus(0.60 + s.pan, hz - 0.15, 22, 5, mix("#ffffff", s.sky_inks[3], 0.4), mix(s.sky_inks[1], s.haze, 0.5))
    for y, amp, d in ((hz - 0.06, 0.10, 0.6), (hz - 0.015, 0.06, 0.38)):
        ln = s.ridge(y, amp, 4, True, 0.42)
        s.land(ln, s.mid("#8a9a86", d), to=s.haze, span=0.2, base=0.7)
        s.peaks(ln, 0.06, s.shd("#4a6878", d), None, -1, 0.8)
    s.land(s.ridge(hz + 0.02, 0.02, 4, False), s.lit(s.grass[1], 0.2), to=s.mid(s.grass[0]), grain=0.6)
    vx = (0.38 + s.pan) * W
    s.ink(
        [(vx - W * 0.004, (hz + 0.03) * H), (vx + W * 0.004, (hz + 0.03) * H), (vx + W * 0.22, H), (vx - W * 0.12, H)],
        s.lit("#d9bf8c", 0.1),
        to=s.lit("#c09a66"),
        grain=0.7,
        dry=0.3,
    )
    blossom = s.season == "spring"
    leaf = ("#a5687a", "#eeb9bd", "#fff0ea") if blossom else LEAF["summer"]  # apples redden before leaves turn
    for i in range(9, -1, -1):
        z = 1.0 * 1.30**i
        y = (hz + 0.030) * H + 0.50 * H / z
        for lane in (-3.5, -2.6, -1.65, -0.74, 1.0, 1.9, 2.9):
            x = vx + lane * 31 * s.u / z * (1 if lane < 0 else 1.05)
            if not -14 * s.u / z < x < W + 14 * s.u / z:
                continue
            d = min(0.5, 0.07 * i)
            k = 33 * s.u / z
            s.ink(ell(x + k * 0.25, y, k * 0.62, k * 0.10), s.shd(s.grass[0]), alpha=0.55)
            s.tree(x, y, k, s.tones(leaf, d), wide=0.40, dab=max(0.2, 1.15 / z), dens=0.8, n=9 if i < 4 else 4)
            if not blossom and s.season != "winter" and i < 6:
                fr = [(x + s.r.gauss(0, 0.19) * k, y - k * s.r.uniform(0.50, 0.88)) for _ in range(20)]
                s.ink([ell(a, b, k * 0.025, n=10) for a, b in fr], s.lit("#c8301f", d))
                s.ink([ell(a - k * 0.007, b - k * 0.008, k * 0.009, n=6) for a, b in fr], s.lit("#ffc9a0", d))
    y = H * 0.93
    s.figure(vx - 5 * s.u, y, 15 * s.u, arms=((-0.22, 0.62), (0.20, 0.95)), coat="#2f6c7a", back=True)
    s.figure(vx + 14 * s.u, y - 2 * s.u, 14 * s.u, arms=((-0.12, 0.42), (0.12, 0.42)), coat="#b5402f", back=False)
    for bx in (vx + 2 * s.u, vx + 7.5 * s.u):
        r = [(bx + s.r.gauss(0, 1) * s.u, y - 2.6 * s.u - abs(s.r.gauss(0, 0.4)) * s.u) for _ in range(26)]
        s.ink([ell(a, b, 0.55 * s.u, n=12) for a, b in r], s.lit("#c8301f"))
        s.ink(put([(-2.1, 2.6), (2.1, 2.6), (1.6, 0), (-1.6, 0)], bx, y, s.u), s.lit("#c99a5a"), to=s.shd("#8a6238"), ang=20)
    s.tufts(0.80, 1.02, s.tones(s.grass), 420, 0.9)


def gate(s):
    """A delegation in front of a four-column paifang."""
    W, H = s.w, s.h
    s.sky(0.70, sun=(0.80, 0.20 + s.eye) if s.light != "day" else None)
    s.cumulus(0.18, 0.34, 30, 8, mix("#ffffff", s.sky_inks[3], 0.4), mix(s.sky_inks[1], s.haze, 0.5))
    s.stratus(0.1, 0.5, mix(s.sky_inks[3], "#ffffff", 0.4), 0.3, 1.5, 12, 0.5)
    ln = s.ridge(0.55, 0.12, 4, True, 0.45)
    s.land(ln, s.mid("#8a9a86", 0.5), to=s.haze, span=0.3)
    s.peaks(ln, 0.08, s.shd("#4a6878", 0.5), None, -1, 0.8)
    s.foliage([(s.r.random() * W, (0.69 + s.r.random() * 0.05) * H, s.u * s.r.uniform(3, 6)) for _ in range(34)], s.tones(s.leaf, 0.25), 1.0)
    for x in (0.30, 0.46, 0.60):
        house(s, (x + s.pan) * W, 0.775 * H, 15 * s.u, 6 * s.u, "#c98f6a", "#5f6a70", 0.25, windows=4)
    s.ink(box(0, 0.77 * H, W, H), s.lit("#d6c3a2", 0.15), to=s.mid("#b89a7c"), grain=0.6)
    for i in range(9):
        y = 0.77 + 0.23 * (i / 9) ** 1.6
        s.ink(box(0, y * H, W, y * H + s.u * (0.05 + 0.02 * i)), s.shd("#9a8a78"), alpha=0.35)
    cx, y, k = (0.47 + s.pan) * W, 0.83 * H, s.u
    B = lambda c, pts, **kw: s.ink(put(pts, cx, y, k), c, **kw)
    cols = (-27, -12.5, 12.5, 27)
    red, teal, gold = "#b23a2c", "#2e6f78", "#dba63e"
    B(s.shd("#6d5a50"), [(-30, -1.5), (44, -1.5), (38, 0), (-30, 0)], alpha=0.5)
    for i, x in enumerate(cols):
        top = 38 if abs(x) < 20 else 27
        B(s.lit(red), box(x - 1.1, 1, x + 1.1, top), to=s.shd(red), ang=0, grain=0.4)
        B(s.mid("#cdbfa8"), box(x - 2, 0, x + 2, 3.6), to=s.shd("#a89a88"), ang=0)

    def roof(x0, x1, yb, ht):
        ov = 4.0
        up = 1.9
        curve = [(x0 - ov + (x1 - x0 + 2 * ov) * i / 24, yb + up * abs(i / 12 - 1) ** 3) for i in range(25)]
        ridge_ = [(x1 - 1.5, yb + ht), (x0 + 1.5, yb + ht)]
        B(s.mid("#5d7f78"), curve + ridge_, to=s.shd("#3f5a60"), ang=60)
        s.ink(
            [
                put(
                    [
                        (x0 - ov * 0.8 + (x1 - x0 + 1.6 * ov) * i / 22 - 0.12, yb + 0.5 + up * abs(i / 11 - 1) ** 3),
                        (x0 - ov * 0.8 + (x1 - x0 + 1.6 * ov) * i / 22 + 0.12, yb + 0.5 + up * abs(i / 11 - 1) ** 3),
                        (x0 + 1.5 + (x1 - x0 - 3) * i / 22, yb + ht),
                    ],
                    cx,
                    y,
                    k,
                )
                for i in range(23)
            ],
            s.shd("#33484e"),
            alpha=0.6,
        )
        B(s.lit(gold), [(a, b - 0.55) for a, b in curve] + [(a, b) for a, b in reversed(curve)])
        B(s.mid("#4a6a68"), box(x0 + 0.8, yb + ht - 0.3, x1 - 0.8, yb + ht + 0.7))
        for sg, xe in ((-1, x0 + 1), (1, x1 - 1)):
            B(s.mid("#4a6a68"), [(xe, yb + ht), (xe + sg * 1.6, yb + ht + 2.2), (xe + sg * 0.3, yb + ht + 1)])

    for x0, x1, yb in ((-27, -12.5, 27), (12.5, 27, 27), (-12.5, 12.5, 37)):
        for lo, hi, c in ((-9.5, -8.2, red), (-8.2, -5.4, teal), (-5.4, -4.2, red), (-4.2, -1.4, teal), (-1.4, 0.3, gold)):
            B(s.lit(c), box(x0, yb + lo, x1, yb + hi), to=s.shd(c), ang=75, grain=0.7)
        n = int((x1 - x0) / 1.8)
        s.ink(
            [ell(*put([(x0 + (x1 - x0) * (i + 0.5) / n, yb + q)], cx, y, k)[0], 0.5 * k, n=12) for i in range(n) for q in (-6.8, -2.8)], s.lit(gold)
        )
        s.ink(
            [
                put([(a, yb - 1.3), (a + 0.55, yb - 1.3), (a + 0.8, yb), (a - 0.2, yb)], cx, y, k)
                for a in [x0 + (x1 - x0) * i / (n * 2) for i in range(n * 2)]
            ],
            s.shd(teal),
        )
        roof(x0, x1, yb + 0.2, 4.6)
    for sg, x in ((-1, 0.03), (1, 0.985)):
        s.pine(x * W, 0.90 * H, (50 if sg > 0 else 40) * s.u, s.shd("#274a44"), s.mid("#4f7a58"), s.shd("#6b4636"))
    s.crowd(cx / W - 0.19, cx / W + 0.19, 0.885, 13.2 * s.u, 9, 0.004, back=False, arms=((-0.15, 0.44), (0.15, 0.44)), stride=0.015)
    s.crowd(cx / W - 0.21, cx / W + 0.21, 0.925, 13.0 * s.u, 9, 0.004, back=False, arms=((-0.12, 0.43), (0.12, 0.43)), stride=0.015)
    s.tufts(0.985, 1.03, (s.shd(s.leaf[0]), s.mid(s.leaf[1])), 160, 1.4)
