"""Kyzylorda: river, yurts, rocket, rice, station."""

import math

import numpy as np

from sistercities.demo.draw.poster import COATS, F, box, ell, limb, mix, path, put, ribbon, smooth


def river(s):
    W, H, hz = s.w, s.h, 0.36 + s.eye
    s.sky(hz, sun=(0.70 + s.pan, hz - 0.085), size=2.8)
    s.stratus(0.0, hz * 0.95, mix(s.sky_inks[3], "#ffffff", 0.25), 0.46, 1.3, 12, 0.7, mix(s.sky_inks[3], "#ffffff", 0.6))
    s.stratus(hz * 0.3, hz, mix(s.sky_inks[1], s.haze, 0.4), 0.34, 1.2, 24, 0.6)
    s.land(s.ridge(hz - 0.004, 0.012, 5, False), s.shd("#7a7a8c", 0.6), base=hz + 0.03)
    sage, straw = s.grass[1], s.grass[2]
    s.land(np.full(s.w, hz * H + 1, F), mix(s.mid(straw, 0.55), s.haze, 0.2), to=s.mid(sage), grain=0.35, span=0.5)
    n = s.floor_noise(hz, 1.6, 9, 4)
    f = np.linspace(0, 1, n.shape[0], dtype=F)[:, None]
    sp = s.speck[-n.shape[0] :]
    for th, c in ((0.50, s.lit(straw, 0.25)), (0.60, s.lit("#e3c58a", 0.18))):
        s.wash(smooth(th, th + 0.03, n + (sp - 0.5) * 0.10) * 0.75, c, s.h - n.shape[0])
    s.wash(smooth(0.40, 0.34, n + (sp - 0.5) * 0.12) * (0.35 + 0.5 * f), s.shd(s.leaf[1], 0.12), s.h - n.shape[0])
    # the meanders: one centreline, swinging wider as it nears
    cx = lambda t: (0.58 + s.pan + (0.10 + 0.44 * t) * math.sin(17.5 * t**0.46 + 0.3) * (t**0.45 + 0.05) - 0.12 * t) * W
    wd = lambda t: (0.003 + 0.085 * t**1.15) * W
    yy = lambda t: (hz + 0.004 + (1.06 - hz) * t**1.25) * H

    def banks(grow, dy=0.0, extra=0.0):
        pts = [(cx(i / 150), yy(i / 150)) for i in range(151)]
        L, R = [], []
        for i in range(151):
            a, b = pts[max(0, i - 1)], pts[min(150, i + 1)]
            dx, dy2 = b[0] - a[0], (b[1] - a[1]) * 2.6
            q = math.hypot(dx, dy2) or 1
            w = wd(i / 150) * grow + extra
            L.append((pts[i][0] - dy2 / q * w, pts[i][1] + dx / q * w * 0.36 + dy))
            R.append((pts[i][0] + dy2 / q * w, pts[i][1] - dx / q * w * 0.36 + dy))
        return L + R[::-1]

    quads = lambda poly: [[poly[i], poly[i + 1], poly[-i - 2], poly[-i - 1]] for i in range(len(poly) // 2 - 1)]
    s.ink(quads(banks(1.55)), s.lit("#ead3a0", 0.1), alpha=0.95)
    s.ink(quads(banks(1.10, -s.u * 0.10)), mix(s.mid("#8a8a62", 0.2), s.mid("#c9a870", 0.2), 0.5))
    s.ink(quads(banks(1.0)), mix(s.sky_inks[3], s.sky_inks[2], 0.3), to=mix(s.sky_inks[1], s.sky_inks[0], 0.35), grain=0.5)
    s.ink(
        quads(banks(0.55, -s.u * 0.1)), mix(s.sky_inks[3], "#ffffff", 0.25), to=mix(s.sky_inks[1], s.sky_inks[2], 0.5), grain=0.4, alpha=0.6, dry=0.7
    )
    s.dashes(hz + 0.12, 1.0, mix(s.sky_inks[3], "#ffffff", 0.2), 0)
    for _ in range(84):  # turanga groves and reeds keep to the water
        t = s.r.random() ** 0.8
        sg = s.r.choice((-1, 1))
        x, y, h = (
            cx(t) + sg * wd(t) * s.r.uniform(1.5, 3.2),
            yy(t) + s.r.uniform(-0.4, 0.4) * wd(t) * 0.4,
            s.u * (0.5 + 5.0 * t) * s.r.uniform(0.6, 1.2),
        )
        if t < 0.72:
            d = 0.5 * (1 - t)
            s.ink(ell(x + h * 0.5, y + h * 0.05, h * 0.9, h * 0.16), s.shd(s.grass[0], d * 0.6), alpha=0.6)
            s.foliage([(x + q * h * 0.5, y - h * 0.4, h * 0.42) for q in (-0.6, 0, 0.6)], s.tones(s.leaf, d), max(0.10, 0.75 * t), 0.45)
    s.tufts(
        0.78,
        1.05,
        (s.shd(s.grass[0]), s.mid(straw), s.lit(straw)),
        620,
        1.5,
        where=lambda x, y: abs(x - cx(((y / H - hz - 0.004) / (1.06 - hz)) ** 0.8)) > 2.6 * wd(((y / H - hz - 0.004) / (1.06 - hz)) ** 0.8),
    )
    for x, y, k in ((0.20, 0.70, 9), (0.265, 0.71, 8.6)):  # two riders above the bend
        rider(s, (x + s.pan) * W, y * H, k * s.u)
    s.birds(0.40, 0.17, 7, 0.9)


def rider(s, x, y, k, man=True):
    c = s.shd(s.r.choice(("#6b4330", "#8a5a3a", "#4a3a38")))
    s.ink(ell(x, y, k * 0.6, k * 0.07), s.shd("#3a3a30"), alpha=0.5)
    for lx, b in ((-0.30, -0.05), (-0.20, 0.05), (0.22, -0.04), (0.30, 0.06)):
        s.ink(path(put([(lx, 0.42), (lx + b, 0.22), (lx + b * 0.4, 0)], x, y, k), k * 0.085, k * 0.045), c)
    s.ink(
        [ell(*put([(0, 0.50)], x, y, k)[0], k * 0.40, k * 0.165), ell(*put([(-0.25, 0.52)], x, y, k)[0], k * 0.17, k * 0.17)]
        + path(put([(0.28, 0.52), (0.44, 0.78), (0.50, 0.84)], x, y, k), k * 0.22, k * 0.12)
        + limb(*put([(0.50, 0.84)], x, y, k)[0], *put([(0.64, 0.70)], x, y, k)[0], k * 0.12, k * 0.075)
        + path(put([(-0.38, 0.55), (-0.47, 0.45), (-0.46, 0.22)], x, y, k), k * 0.07, k * 0.03),
        c,
    )
    s.ink(path(put([(0.30, 0.66), (0.42, 0.88), (0.47, 0.92)], x, y, k), k * 0.05), s.shd("#241d20"))
    if man:
        coat = s.r.choice(COATS)
        s.ink([put([(-0.12, 0.60), (0.10, 0.60), (0.09, 0.98), (-0.09, 0.98)], x, y, k)], s.lit(coat), to=s.shd(coat), ang=0)
        s.ink(
            limb(*put([(0.02, 0.62)], x, y, k)[0], *put([(0.08, 0.30)], x, y, k)[0], k * 0.10, k * 0.06)
            + limb(*put([(0.05, 0.92)], x, y, k)[0], *put([(0.26, 0.72)], x, y, k)[0], k * 0.06),
            s.shd(coat),
        )
        s.ink(ell(*put([(0, 1.06)], x, y, k)[0], k * 0.07, k * 0.085), s.mid("#b0764e"))
        s.ink(put([(-0.11, 1.085), (-0.065, 1.15), (0.0, 1.18), (0.065, 1.15), (0.11, 1.085)], x, y, k), s.shd("#4a3a34"))


def yurt(s, x, y, k, depth=0.0, felt="#f1e6d0"):
    """Felt tent: k is the half width in pixels."""
    Q = lambda pts: put(pts, x, y, k)
    s.ink(ell(x + k * 0.5, y - k * 0.02, k * 1.35, k * 0.12), s.shd(s.grass[0]), alpha=0.6)
    wall = Q([(-1, 0.02), (-0.5, -0.06), (0.5, -0.06), (1, 0.02), (1.0, 0.72), (-1.0, 0.72)])
    s.ink(wall, s.lit(felt, depth), to=s.shd(felt, depth), ang=0, grain=0.5)
    roof = Q(
        [
            (-1.05, 0.70),
            (-0.98, 0.78),
            (-0.62, 1.08),
            (-0.20, 1.28),
            (0.20, 1.28),
            (0.62, 1.08),
            (0.98, 0.78),
            (1.05, 0.70),
            (0.5, 0.62),
            (-0.5, 0.62),
        ]
    )
    s.ink(roof, s.lit(felt, depth, 1.06), to=s.shd(felt, depth, 1.1), ang=20, grain=0.5)
    red, blue = "#a8382c", "#2c6b80"
    band = lambda y0, y1: Q([(-1.0, y0 + 0.08), (-0.5, y0), (0.5, y0), (1.0, y0 + 0.08), (1.0, y1 + 0.08), (0.5, y1), (-0.5, y1), (-1.0, y1 + 0.08)])
    s.ink(band(0.52, 0.64), s.lit(red, depth), to=s.shd(red, depth), ang=0)
    s.ink(
        [
            Q(
                [
                    (a - 0.05, 0.58 + 0.08 * abs(a) ** 1.5),
                    (a, 0.535 + 0.08 * abs(a) ** 1.5),
                    (a + 0.05, 0.58 + 0.08 * abs(a) ** 1.5),
                    (a, 0.625 + 0.08 * abs(a) ** 1.5),
                ]
            )
            for a in [-0.94 + 0.145 * i for i in range(14)]
        ],
        s.lit("#f0d9a0", depth),
    )
    for a in (-0.78, -0.42, 0.42, 0.78):
        s.ink(Q([(a - 0.025, 0.62), (a + 0.025, 0.62), (a * 0.26 + 0.012, 1.24), (a * 0.26 - 0.012, 1.24)]), s.mid(red, depth))
    s.ink(Q([(-0.24, 1.25), (-0.17, 1.36), (0.17, 1.36), (0.24, 1.25)]), s.mid("#6b4a36", depth), to=s.shd("#4a3632", depth), ang=0)
    s.ink(Q(box(-0.22, -0.06, 0.22, 0.58)), s.mid("#7a4a2e", depth))
    s.ink(Q(box(-0.17, -0.04, 0.17, 0.53)), s.lit(blue, depth), to=s.shd(blue, depth), ang=0)
    s.ink(
        [Q([(0, 0.08 + i * 0.16), (0.09, 0.16 + i * 0.16), (0, 0.24 + i * 0.16), (-0.09, 0.16 + i * 0.16)]) for i in range(3)],
        s.lit("#e3b04b", depth),
    )


def yurts(s):
    W, H, hz = s.w, s.h, 0.74 + s.eye
    s.sky(hz, sun=(0.16, hz - 0.15) if s.light != "day" else None, bands=11)
    if s.light == "night":
        s.stars(hz)
    hi, lo = mix("#fffdf2", s.sky_inks[3], 0.30 if s.light == "day" else 0.75), mix(s.sky_inks[1], s.shd("#8fa3b4"), 0.35)
    s.stratus(0.0, 0.3, hi, 0.32, 1.6, 9, 0.5)
    for x, y, w, h in (
        (0.60, 0.62, 26, 4),
        (0.12, 0.63, 22, 3.4),
        (0.36, 0.58, 30, 5.0),
        (0.86, 0.55, 34, 7),
        (0.62, 0.43, 64, 16),
        (0.10, 0.36, 36, 10),
    ):
        s.cumulus(x + s.pan, y + s.eye, w, h, mix(hi, s.haze, max(0, y - 0.45) * 2.2), mix(lo, s.haze, max(0, y - 0.40) * 2.4), 13)
    s.land(s.ridge(hz - 0.012, 0.022, 3, False), s.shd("#76809a", 0.60), base=hz + 0.05)
    s.land(s.ridge(hz + 0.012, 0.012, 3, False), s.mid(s.grass[2], 0.30), to=s.mid(s.grass[1], 0.1), grain=0.6)
    n = s.floor_noise(hz + 0.02, 2, 12, 4)
    sp = s.speck[-n.shape[0] :]
    s.wash(smooth(0.54, 0.58, n + (sp - 0.5) * 0.12) * 0.8, s.lit(s.grass[2], 0.1), s.h - n.shape[0])
    s.wash(smooth(0.42, 0.37, n + (sp - 0.5) * 0.12) * 0.7, s.shd(s.grass[1], 0.1), s.h - n.shape[0])
    for x, y, k, d in ((0.87, 0.785, 3.4, 0.3), (0.78, 0.79, 4.4, 0.22), (0.58, 0.80, 8.2, 0.10), (0.31, 0.84, 13.5, 0)):
        yurt(s, (x + s.pan) * W, (y + s.eye) * H, k * s.u, d)
    x, y = (0.31 + s.pan) * W, (0.84 + s.eye) * H - 18 * s.u
    for i in range(26):
        t = i / 25
        s.glow(x + s.u * (20 * t**1.4 + math.sin(i * 0.8) * 0.5), y - s.u * 17 * t**0.8, s.u * (1 + 5 * t), mix(hi, s.haze, 0.3), 0.30 * (1 - t))
    for x, y, k, m in ((0.70, 0.845, 6.0, False), (0.755, 0.838, 5.4, False), (0.82, 0.86, 7, True), (0.655, 0.832, 4.6, False)):
        rider(s, (x + s.pan) * W, (y + s.eye) * H, k * s.u, m)
    s.crowd(0.40, 0.47, 0.875 + s.eye, 8.4 * s.u, 3, 0.003, skirt=True)
    s.crowd(0.36, 0.38, 0.865 + s.eye, 5.6 * s.u, 1, 0.003)
    s.tufts(0.86, 1.04, (s.shd(s.grass[0]), s.mid(s.grass[1]), s.lit(s.grass[2])), 900, 1.1)
    s.birds(0.33, 0.30, 3, 1.6)


def rocket(s):
    W, H, hz = s.w, s.h, 0.80 + s.eye
    s.sky(hz, inks=["#0b1636", "#1c2c5e", "#4f4a86", "#c9686a", "#fbb765"], bands=12, wob=0.05)
    s.stars(0.55, 220)
    s.stratus(hz - 0.16, hz, "#5a4a7a", 0.36, 1.2, 30, 0.7)
    s.stratus(hz - 0.10, hz, "#e88a62", 0.30, 1.2, 34, 0.7)
    s.glow(0.70 * W, hz * H, 46 * s.u, "#ffc070", 0.55)
    # the trail: a sunlit thread climbing from the horizon and opening into a veil
    px = lambda t: (0.705 + s.pan - 0.30 * t**2.1) * W
    py = lambda t: (hz - 0.002 - 0.66 * t**0.92) * H
    for i in range(120):
        t = i / 119
        s.glow(px(t), py(t), s.u * (0.9 + 6.4 * t**2.2), mix("#ffb27a", "#dfe9ff", t), 0.10 + 0.12 * t)
    L = [(px(t) - s.u * (0.10 + 1.7 * t**2.4), py(t)) for t in np.linspace(0, 1, 60)]
    R = [(px(t) + s.u * (0.10 + 1.1 * t**2.4), py(t) - s.u * 0.3 * t) for t in np.linspace(0, 1, 60)]
    s.ink(L + R[::-1], "#fff3da", to="#ffc28a", grain=0.6, alpha=0.80)
    tx, ty = px(1), py(1)
    bx, by = px(0.93) - tx, py(0.93) - ty
    ang = math.degrees(math.atan2(by, bx))
    bl = math.hypot(bx, by)
    bx, by = bx / bl, by / bl
    for L_, wd, al in ((27, 12, 0.34), (19, 7.6, 0.40), (12, 4.2, 0.55)):  # the sunlit veil opens behind the climbing point
        half = [(q, wd * math.sqrt(q) * (1 - 0.22 * q)) for q in np.linspace(0, 1, 30)]
        side = lambda sg: [(tx + s.u * (L_ * q * bx - sg * w * by), ty + s.u * (L_ * q * by + sg * w * bx)) for q, w in half]
        s.ink(side(1) + side(-1)[::-1], "#e4edff", to="#9a94d0", ang=ang, alpha=al, grain=0.5, fade=True)
    s.glow(tx, ty, 5 * s.u, "#ffffff", 0.9)
    s.ink(ell(tx, ty, s.u * 0.38), "#ffffff")
    s.land(s.ridge(hz - 0.003, 0.010, 4, False), "#3a2f58", base=hz + 0.06)
    x0 = 0.705 + s.pan
    for dx, h in ((-0.02, 1.6), (-0.012, 3.4), (0.012, 2.8), (0.02, 1.4), (0.05, 1.2)):
        s.ink(box((x0 + dx) * W, (hz - 0.002) * H - h * s.u, (x0 + dx) * W + s.u * 0.28, hz * H), "#3a2f58")
    s.ink(
        ribbon(lambda t: W * (0.70 - 0.36 * t + 0.05 * math.sin(t * 5)), lambda t: W * (0.001 + 0.05 * t**1.6), (hz + 0.02) * H, H * 1.02),
        "#c98a78",
        to="#5a3f62",
    )
    m = s.ridge(hz + 0.016, 0.014, 3, False)
    s.land(m, "#54406a", to="#221b3c", grain=0.6)
    n = s.floor_noise(hz + 0.03, 2, 10, 4)
    s.wash(smooth(0.55, 0.60, n + (s.speck[-n.shape[0] :] - 0.5) * 0.12) * 0.6, "#7a5570", s.h - n.shape[0])
    s.ink(
        ribbon(lambda t: W * (0.66 - 0.30 * t + 0.07 * math.sin(t * 4.2)), lambda t: W * (0.0015 + 0.045 * t**1.5), (hz + 0.022) * H, H * 1.02),
        "#d99680",
        to="#6a4868",
        grain=0.7,
        dry=0.3,
    )
    lx = ly = lh = 0
    for i in range(7):  # telegraph line
        z = 1.0 * 1.5**i
        x, y, h = W * (0.66 + s.pan + 0.34 / z), (hz + 0.01) * H + H * 0.14 / z, 30 * s.u / z
        s.ink(
            limb(x, y, x, y - h, h * 0.022)
            + [q for f in (0.94, 0.84) for q in limb(x - h * 0.11, y - h * f, x + h * 0.11, y - h * f, h * 0.014)]
            + [
                box(x + a * h - h * 0.006, y - h * (f + 0.03), x + a * h + h * 0.006, y - h * f)
                for f in (0.94, 0.84)
                for a in (-0.10, -0.05, 0.05, 0.10)
            ],
            "#221b3c",
        )
        if i:  # wires back to the pole before
            for a in (-0.1, 0.1):
                s.ink(
                    path(
                        [
                            (
                                x + a * h + (lx - x + a * (lh - h)) * q / 9,
                                y - h * 0.97 + (ly - lh * 0.97 - y + h * 0.97) * q / 9 + math.sin(math.pi * q / 9) * lh * 0.05,
                            )
                            for q in range(10)
                        ],
                        h * 0.005,
                        lh * 0.004,
                    ),
                    "#221b3c",
                )
        lx, ly, lh = x, y, h
    y = 0.955 * H
    for q, k, arms in (
        (0.145, 13.5, ((-0.12, 0.44), (0.26, 0.98))),
        (0.185, 8.2, ((-0.15, 0.50), (0.13, 0.44))),
        (0.222, 12.6, ((-0.22, 0.50), (0.12, 0.44))),
        (0.285, 13.0, ((-0.12, 0.42), (0.12, 0.42))),
    ):
        s.figure((q + s.pan) * W, y + s.r.uniform(-0.5, 0.5) * s.u, k * s.u, arms=arms, back=True, dark=0.78, skirt=q == 0.222)
    s.tufts(0.90, 1.05, ("#1d1734", "#2c2246", "#6a4a62"), 800, 1.5)


def rice(s):
    W, H, hz = s.w, s.h, 0.40 + s.eye
    s.sky(hz, sun=(0.66 + s.pan, hz - 0.13))
    hi = mix("#ffffff", s.sky_inks[3], 0.45)
    for x, y, w, h in ((0.20, hz - 0.08, 40, 8), (0.52, hz - 0.05, 24, 4), (0.88, hz - 0.10, 30, 7)):
        s.cumulus(x, y, w, h, hi, mix(s.sky_inks[1], s.haze, 0.45))
    s.stratus(0, hz * 0.6, hi, 0.34, 1.4, 12, 0.5)
    for i in range(46):
        x, h = W * i / 45 + s.r.uniform(-0.5, 0.5) * s.u, s.u * s.r.uniform(2.2, 4.6)
        s.ink(
            [ell(x, hz * H - h * 0.5, h * 0.16, h * 0.52, 14), ell(x + s.u, hz * H - s.u * 0.3, s.u * 1.3, s.u * 0.7, 12)],
            s.shd(s.leaf[0], s.r.uniform(0.35, 0.5)),
        )
    s.water(hz, mix(s.sky_inks[2], s.sky_inks[3], 0.4), 0.30, mix(s.sky_inks[0], s.shd("#3f7c84"), 0.4), 0.5)
    vx, a = (0.62 + s.pan) * W, hz * H
    G = lambda X, z: (vx + X * 60 * s.u / z, a + (H - a) * 0.98 / z)
    dik, young, rows = s.mid(s.grass[0]), s.leaf[1] if s.season != "autumn" else "#d9b040", []
    zs = [0.7, 1.12, 1.7, 2.6, 4.2, 7, 12, 24]
    for j in range(len(zs) - 1):
        for c in range(-5, 5):
            kind = s.r.random()
            x0, x1, z0, z1 = c * 0.8 + 0.1 * math.sin(j * 2), c * 0.8 + 0.8 + 0.1 * math.sin(j * 2), zs[j], zs[j + 1]
            d = min(0.6, 0.09 * z0)
            poly = [G(x0, z0), G(x1, z0), G(x1, z1), G(x0, z1)]
            if kind < 0.40:
                s.ink(poly, s.mid(young, d), to=s.lit(s.leaf[2], d), ang=-60, grain=0.8, alpha=0.92)
            n = 10 if kind > 0.3 else 16
            for r in range(n):
                z = z0 * (z1 / z0) ** ((r + 0.5) / n)
                for q in range(int(20 / z**0.3)):
                    x, y = G(x0 + (x1 - x0) * (q + 0.5 + s.r.uniform(-0.2, 0.2)) / int(20 / z**0.3), z)
                    b = s.u * 0.95 / z
                    if -b < x < W + b:
                        rows.append(
                            [
                                (x - b * 0.5, y - b * 1.1),
                                (x - b * 0.1, y),
                                (x + b * 0.1, y),
                                (x + b * 0.55, y - b * 1.0),
                                (x + b * 0.04, y - b * 0.45),
                                (x, y - b * 1.35),
                            ]
                        )
    s.ink(rows, s.lit(young, 0.04), to=s.shd(s.leaf[0]), grain=0.5)
    for z in zs[1:]:
        y, t = G(0, z)[1], s.u * 1.1 / z
        s.ink([(0, y - t * 0.3), (W, y - t * 0.5), (W, y + t * 0.8), (0, y + t)], dik, to=s.shd(s.grass[0]), alpha=0.96)
        s.ink(box(0, y - t * 0.7, W, y - t * 0.1), s.lit(s.grass[2], min(0.5, 0.06 * z)), dry=0.5)
    for c in range(-5, 6):
        x = c * 0.8
        s.ink([G(x - 0.03, 0.7), G(x + 0.03, 0.7), G(x + 0.02, 24), G(x - 0.02, 24)], dik, to=s.mid(s.grass[1]), ang=-90)
    for X, z, k in ((-0.62, 1.65, 15), (-0.46, 1.74, 15), (0.28, 2.5, 15)):
        x, y = G(X, z)
        s.figure(x, y, k * s.u / z * 1.25, arms=((-0.20, 0.30), (0.20, 0.30)), back=True)
        hy = y - k * 1.25 * s.u / z * 0.95
        s.ink(
            [(x - 2.4 * s.u / z * 1.2, hy), (x, hy - 1.7 * s.u / z), (x + 2.4 * s.u / z * 1.2, hy), (x, hy + 0.5 * s.u / z)],
            s.lit("#ead9a4"),
            to=s.shd("#c9ab6a"),
            ang=0,
        )
    for X, z in ((0.05, 1.35), (0.16, 1.42), (0.92, 2.1), (-1.5, 2.0)):  # egrets
        x, y = G(X, z)
        k = 5 * s.u / z
        s.ink(limb(x, y, x, y - k * 0.6, k * 0.05) + limb(x + k * 0.15, y, x + k * 0.1, y - k * 0.6, k * 0.05), s.shd("#3a3a3a"))
        s.ink(
            [ell(x, y - k * 0.78, k * 0.42, k * 0.2, 20, -0.35)]
            + path(
                [(x + k * 0.3, y - k * 0.9), (x + k * 0.46, y - k * 1.2), (x + k * 0.38, y - k * 1.5), (x + k * 0.52, y - k * 1.6)],
                k * 0.13,
                k * 0.09,
            ),
            s.lit("#fbf6e6"),
        )
        s.ink([(x + k * 0.5, y - k * 1.66), (x + k * 0.82, y - k * 1.52), (x + k * 0.5, y - k * 1.54)], s.lit("#e0a030"))
    s.birds(0.34, 0.16, 8)


def station(s):
    W, H = s.w, s.h
    s.sky(0.74, sun=(0.90, 0.22 + s.eye) if s.light != "day" else None)
    hi = mix("#ffffff", s.sky_inks[3], 0.45)
    s.cumulus(0.20 + s.pan, 0.30, 46, 11, hi, mix(s.sky_inks[1], s.haze, 0.5))
    s.cumulus(0.86, 0.40, 30, 6, hi, mix(s.sky_inks[1], s.haze, 0.5))
    s.stratus(0, 0.3, hi, 0.3, 1.4, 12, 0.5)
    by = 0.80 * H
    s.ink(box(0, 0.72 * H, W, 0.80 * H), s.shd(s.leaf[0], 0.2))
    s.foliage([(x * W, 0.72 * H - s.r.uniform(0, 4) * s.u, s.u * s.r.uniform(3, 5)) for x in np.linspace(0, 1, 26)], s.tones(s.leaf, 0.22), 1.0)
    s.ink(box(0, 0.78 * H, W, H), s.lit("#dcc7a0", 0.1), to=s.mid("#bfa27c"), grain=0.6)
    cx, k = (0.50 + s.pan) * W, s.u
    wall, trim, roof = "#e8c78c", "#f8eed6", "#3f7a74"
    Q = lambda pts: put(pts, cx, by, k)

    def arch(x, w, y0, y1, n=18):
        return (
            [(x - w, y0), (x + w, y0), (x + w, y1)]
            + [(x + w * math.cos(math.pi * i / n), y1 + w * math.sin(math.pi * i / n)) for i in range(n + 1)]
            + [(x - w, y1)]
        )

    for x0, x1, h in ((-50, 50, 17),):
        s.ink(Q(box(x0, 0, x1, h)), s.lit(wall), to=s.mid(wall, 0, 1.02), ang=60, grain=0.9)
        s.ink(Q([(x0 - 1, h), (x1 + 1, h), (x1 - 3, h + 4.6), (x0 + 3, h + 4.6)]), s.lit(roof), to=s.shd(roof), ang=30, grain=0.7)
        s.ink([Q(box(x0 - 1, h - 0.9, x1 + 1, h)), Q(box(x0, 10.6, x1, 11.2))], s.lit(trim))
        s.ink(Q(box(x0, h - 1.9, x1, h - 0.9)), s.shd(wall), alpha=0.6)
    bays = [-46 + i * 5.6 for i in range(6)] + [18 + i * 5.6 for i in range(6)]
    s.ink([Q(arch(x, 2.3, 0, 6.6)) for x in bays], s.lit(trim))
    s.ink([Q(arch(x, 1.85, 0, 6.5)) for x in bays], s.shd("#6a5a58"), to=s.shd("#8a6a52"), grain=0.6)
    s.ink([Q([(x - 1.85, 0), (x - 0.2, 0), (x - 0.9, 6.4), (x - 1.6, 7.8), (x - 1.85, 6.5)]) for x in bays], s.mid("#c99a66"), alpha=0.6)
    s.ink([Q(arch(x, 0.9, 12.3, 14.2)) for x in bays], s.lit(trim))
    s.ink([Q(arch(x, 0.62, 12.5, 14.1)) for x in bays], s.shd("#3a5664"))
    s.ink(Q(box(-14, 0, 14, 23)), s.lit(wall, 0, 1.04), to=s.mid(wall), ang=50, grain=0.8)  # middle pavilion
    s.ink([Q([(-15, 23), (15, 23), (11, 29), (-11, 29)])], s.lit(roof), to=s.shd(roof), ang=25)
    s.ink([Q(box(-15, 22, 15, 23)), Q(box(-14, 14, 14, 14.6))], s.lit(trim))
    s.ink(Q([(-6, 23), (6, 23), (6, 26), (0, 30), (-6, 26)]), s.lit(wall), to=s.mid(wall), ang=0)
    s.ink(ell(*Q([(0, 26)])[0], 1.8 * k), s.lit(trim))
    s.ink(ell(*Q([(0, 26)])[0], 1.4 * k), s.shd("#3a5664"))
    s.ink([Q(limb_) for limb_ in ([(-0.12, 26), (0.12, 26), (0.0, 27.1)], [(0, 26.12), (0.8, 26), (0, 25.88)])], s.lit(trim))
    for x in (-8.6, 0, 8.6):
        s.ink(Q(arch(x, 3.3, 0, 8.6)), s.lit(trim))
        s.ink(Q(arch(x, 2.7, 0, 8.5)), s.shd("#5a4a50"), to=s.mid("#b07a48"), grain=0.7)
        s.ink([Q(arch(x + d, 0.95, 16, 18.6)) for d in (-1.6, 1.6)], s.lit(trim))
        s.ink([Q(arch(x + d, 0.66, 16.2, 18.5)) for d in (-1.6, 1.6)], s.shd("#3a5664"))
    for x in (-50, -14, 14, 50):  # corner turrets with small domes
        top = 20 if abs(x) > 20 else 26
        s.ink(Q(box(x - 2, 0, x + 2, top)), s.lit(wall, 0, 1.08), to=s.shd(wall), ang=0, grain=0.5)
        s.ink(Q(box(x - 2.5, top - 0.8, x + 2.5, top)), s.lit(trim), to=s.mid(trim), ang=0)
        s.ink(
            Q([(x + 2.3 * math.cos(math.pi * i / 20), top + 3.4 * abs(math.sin(math.pi * i / 20)) ** 0.8) for i in range(21)]),
            s.lit(roof, 0, 1.15),
            to=s.shd(roof),
            ang=0,
        )
        s.ink(Q([(x - 0.12, top + 3), (x + 0.12, top + 3), (x, top + 6.6)]), s.mid("#dba63e"))
    s.ink(Q(box(-52, -1.3, 52, 0)), s.mid("#a88a6c"))
    for i in range(10):
        y = 0.80 + 0.20 * ((i + 1) / 10) ** 1.7
        s.ink(box(0, y * H, W, y * H + s.u * 0.10), s.shd("#a08a6e"), alpha=0.35)
    s.ink([(0, H * 0.93), (W, H * 0.90), (W, H), (0, H)], s.shd("#8a7a70"), to=s.shd("#5a5058"))  # platform edge and rails
    s.ink([(0, H * 0.925), (W, H * 0.895), (W, H * 0.905), (0, H * 0.937)], s.lit("#f0e2c0"))
    for y0, y1 in ((0.962, 0.926), (0.985, 0.945)):
        s.ink([(0, H * y0), (W, H * y1), (W, H * (y1 + 0.004)), (0, H * (y0 + 0.006))], s.lit("#c9d0d0"))
    for q in (0.06, 0.15, 0.30, 0.36, 0.62, 0.69, 0.86):
        n = s.r.choice((1, 2, 3))
        s.crowd(q, q + 0.022 * n, 0.875 - 0.03 * q + s.r.uniform(-0.012, 0.012), 9 * s.u, n, 0.004)
    for q in (0.335, 0.735):
        x, y = q * W, 0.873 * H
        s.ink(put(box(-1, 0, 1, 1.7), x, y, s.u), s.mid("#8a4a2e"))
        s.ink(put(box(-0.3, 1.7, 0.3, 2.2), x, y, s.u), s.shd("#5a3a2e"))
    s.tree(0.045 * W, 0.90 * H, 40 * s.u, s.tones(s.leaf), wide=0.30, dab=1.1)
    s.tree(0.965 * W, 0.86 * H, 34 * s.u, s.tones(s.leaf), wide=0.32, dab=1.0)
    s.birds(0.7, 0.16, 6)
