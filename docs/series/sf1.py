#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Decoder of the Sluice frame, version 1 (SF1); see series-format.md. Standard library only.

Usage: sf1.py file.sf1 > file.csv"""
import struct
import sys
import zlib

MAX_CELLS, MAX_FRAME, K_MAX, T_MAX = 1 << 20, 1 << 20, 1 << 51, 1 << 50
NORMAL, MISSING, EXC_DEC, EXC_DBL = range(4)
PRED = (0, 0, 1, 2, 2, 3, 4)        # predictor of each of the 7 experts
SLOW = (0, 1, 0, 0, 1, 0, 1)        # and whether its mean error adapts slowly
W0 = [
    20142, 7699, 4822, -18117, -9141, 5086, -180, 27150, 4831, 2747, 5642, 3047, 7166, -22701,
    -18719, -19100, 8755, -7869, 388, 11141, 5065, -4265, -1064, 4412, 8005, 27476, 12196, -6533,
    5006, -5278, 12834, 7251, 1848, 7810, 5340, 25174, 5004, 2159, 4525, -2102, 4600, -62105, 2898,
    -6850, 12602, 8013, -3622, 13906, 634, 27358, 2728, 1400, 1920, -1393, 5530, -33733, 7355,
    -5280, 9045, 10168, -4015, 12495, -578, 21137, 3837, 2402, 2688, 187, 3750, -17272, 5136, -4968,
    8396, 8100, -3275, 11064, -437, 32095, 4860, 2667, 1562, -2706, 3248, -3270, 5222, -1903, 9183,
    7363, -245, 4926, 1379, 15905, 2311, 2947, -322, 6129, 4051, 3410, 8011, -2035, 8168, 9049,
    -1151, 9281, -1388, 14810, 3565, 364, -258, 3717, 2672, 5656, 7308, 640, 6864, 7451, 1086, 7361,
    -182, 11814, 825, 253, -1756, 8465, 149, 6486, 3570, 4077, 5816, 3809, 4174, 7066, -677, 16461,
    -439, -3445, -2280, 10554, 644, 7101, 4905, 972, 13712, 5276, 1444, 7136, 6651, 16630, 1861,
    634, 2647, -480, 1587, -33664, 4834, 3103, 3091, 5794, 3524, 6541, 2717, 21203, 2001, 915, 1571,
    -3228, 257, -17802, 7326, 6654, 5027, 7528, 6681, 2136, -931, 17621, 2445, 1718, 2168, -403,
    1580, -4224, 6407, 5092, 6261, 6868, 5278, 6811, 7774, 8204, -238, -80, -1888, 2255, -73, 572,
    7194, 6628, 5865, 6973, 6545, 4192, 3928, 14284, 959, 211, -554, 1457, 185, 136, 8448, 8588,
    7720, 8643, 8499, 6589, 3877, 18626, -63, -721, -1669, 985, -173, -867
]


class Bad(Exception):
    """The frame is damaged, malformed, or does not follow the last one."""


def need(ok, why="malformed"):
    if not ok:
        raise Bad(why)


def clip(v, lim):
    return max(-lim, min(lim, v))


# ---- tables, all from integers
EX = [1 << 30]
while len(EX) < 3200:
    EX.append(EX[-1] * 1069555701 >> 30)
SQUASH = [(1 << 52) // ((1 << 30) + EX[i]) for i in range(3073)]
LG = [0] * 512
for i in range(1, 512):
    LG[i] = LG[i - 1]
    while EX[LG[i] + 1] * i >= 1 << 30:
        LG[i] += 1
RATE = [131072 // (2 * i + 3) for i in range(256)]
RECIP = [65536 // (i + 2) for i in range(47)]
SCALE = [2907136 // (33 + 2 * i) for i in range(16)]
CRC = []
for i in range(256):
    for _ in range(8):
        i = i >> 1 ^ (0x82F63B78 if i & 1 else 0)
    CRC.append(i)
ONE = 1 << 22


def lg(v):
    s = v.bit_length() - 9
    return LG[v] if s <= 0 else LG[v >> s] + (s * 45426 >> 8)


def log_odds(a, b):
    return clip(lg(a or 1) - lg(b or 1), 2047)


def squash(z):
    return ONE if z >= 3072 else 0 if z <= -3072 else ONE - SQUASH[-z] if z < 0 else SQUASH[z]


STRETCH = [log_odds(2 * i + 1, 8191 - 2 * i) for i in range(4096)]


def crc32c(data):
    c = 0xFFFFFFFF
    for b in data:
        c = c >> 8 ^ CRC[(c ^ b) & 255]
    return c ^ 0xFFFFFFFF


def unzigzag(u):
    return u >> 1 ^ -(u & 1)


class Bytes:
    def __init__(self, data):
        self.d, self.i = data, 0

    def take(self, n):
        need(self.i + n <= len(self.d))
        self.i += n
        return self.d[self.i - n:self.i]

    def u8(self):
        return self.take(1)[0]

    def var(self, most=(1 << 64) - 1):
        v = s = 0
        while True:
            b = self.u8()
            v |= (b & 127) << s
            s += 7
            need(v <= most and (b < 128 or s < 70))
            if b < 128:
                return v


class Coder:
    def __init__(self, data):
        self.d, self.i, self.lo, self.hi = data, 4, 0, 0xFFFFFFFF
        self.x = int.from_bytes(data[:4].ljust(4, b"\0"), "big")

    def bit(self, p):
        mid = self.lo + ((self.hi - self.lo) * p >> 16)
        y = int(self.x <= mid)
        if y:
            self.hi = mid
        else:
            self.lo = mid + 1
        while not (self.lo ^ self.hi) >> 24:
            self.lo = self.lo << 8 & 0xFFFFFFFF
            self.hi = self.hi << 8 & 0xFFFFFFFF | 255
            self.x = self.x << 8 & 0xFFFFFFFF | (self.d[self.i] if self.i < len(self.d) else 0)
            self.i += 1
        return y

    def raw(self, n):
        v = 0
        for _ in range(n):
            v = v << 1 | self.bit(32768)
        return v

    def number(self):
        n = self.raw(6)
        return self.raw(64) if n == 63 else 1 << n - 1 | self.raw(n - 1) if n else 0

    def signed(self):
        return unzigzag(self.number())

    def adapt(self, a):
        y = self.bit(max(24, min(65512, a[0])))
        update(a, y)
        return y


def update(a, y):
    a[0] += ((65535 if y else 0) - a[0]) * RATE[a[1]] >> 16
    a[1] = min(255, a[1] + 1)


class Model:
    def __init__(self, a0):
        self.last, self.d, self.ema, self.lms, self.a = 0, [0] * 8, [0, 0], [0] * 10, [a0] * 7
        self.seen = self.run = self.sign = 0
        self.w = [W0[i:i + 14] for i in range(0, 224, 14)]
        self.c = [{} for _ in range(6)]

    def decide(self, r, ctx, par, node, wset):
        g, w = node * 0x9E3779B1 & 0xFFFFFFFF, self.w[wset]
        c = [t.setdefault(((h ^ g) * 0x2545F491 & 0xFFFFFFFF) >> 24, [32768, 0])
             for t, h in zip(self.c, ctx)]
        x = par + [STRETCH[a[0] >> 4] for a in c] + [64]
        p = squash(clip(sum(a * b for a, b in zip(w, x)) >> 16, 2047)) >> 6
        p = max(24, min(65512, p))
        y = r.bit(p)
        e = (y << 16) - p
        for i in range(14):
            w[i] = clip(w[i] + (x[i] * e * 14 >> 21), 1 << 24)
        for a in c:
            update(a, y)
        return y

    def code(self, r):
        d, pm = self.d, 1 << 32
        x = d + [self.ema[1] >> 4, self.ema[0] >> 4]
        big, sh = max(map(abs, x)), 0
        while big >> sh > 4095:
            sh += 1
        x = [v >> sh for v in x]
        lin = clip((sum(a * b for a, b in zip(self.lms, x)) >> 12) << sh, pm)
        mu = [0, d[0] * 16, lin, self.ema[0], self.ema[1]]
        cl = lambda v: v if v < 3 else min(9, v.bit_length() + 1)
        run = self.run
        ctx = [0, cl(abs(d[0])) * 10 + cl(abs(d[1])),
               (clip(d[0], 3) + 3) * 49 + (clip(d[1], 3) + 3) * 7 + clip(d[2], 3) + 3,
               self.last & 0xFFFFFFFF,
               (31 if run > 31 else 8 + (run - 8) // 4 if run > 8 else run) * 3 + self.sign + 1,
               (clip(lin + 8 >> 4, 6) + 6) * 64 + (clip(mu[4] + 8 >> 4, 4) + 4) * 16 +
               (1 if d[0] > 0 else 2 if d[0] < 0 else 0)]
        sc = []
        for a in self.a:
            a = max(8, a)
            b = a.bit_length() - 5
            sc.append((SCALE[(a << -b if b < 0 else a >> b) - 16], 8 + b))

        def cdf(at, m):
            return [squash(clip(at - m[p], 1 << 34) * s >> t) for p, (s, t) in zip(PRED, sc)]

        L, R = cdf(-8, mu), cdf(8, mu)
        if self.decide(r, ctx, [log_odds(b - a, ONE - b + a) for a, b in zip(L, R)], 1, 0):
            diff = 0
        else:
            par = [0 if ONE - b + a < 64 else log_odds(ONE - b, a) for a, b in zip(L, R)]
            up = self.decide(r, ctx, par, 2, 1)
            m = mu if up else [-v for v in mu]
            L, n = R if up else cdf(8, m), 0
            while True:
                R = [ONE] * 7 if n > 30 else cdf((32 << n) - 8, m)
                par = [0 if n > 30 or ONE - a < 64 else log_odds(ONE - b, b - a)
                       for a, b in zip(L, R)]
                if not self.decide(r, ctx, par, 3 + n, 2 + min(n, 7)):
                    break
                L, n = R, n + 1
                need(n < 52)
            v = 1 << n
            for j in range(min(3, n)):
                half = 1 << n - 1 - j
                M = [0] * 7 if n > 30 else cdf((v + half) * 16 - 8, m)
                par = [0 if n > 30 or b - a < 64 else log_odds(b - c, c - a)
                       for a, b, c in zip(L, R, M)]
                node = 256 + 16 * n + (1 << j) - 1 + (v >> n - j) - (1 << j)
                if self.decide(r, ctx, par, node, 10 + j + (3 if n > 4 else 0)):
                    L, v = M, v + half
                else:
                    R = M
            if n > 3:
                v += r.raw(n - 3)
            diff = v if up else -v
        q = clip(diff, 1 << 28)
        q16, n = q * 16, self.seen
        for i in range(7):
            e = 16 * abs(q16 - mu[PRED[i]])
            self.a[i] += (e - self.a[i]) * RECIP[min(n, 46 if SLOW[i] else 6)] >> 16
        gain = clip(q16 - lin >> sh, 65536) * 196608 // (1 + sum(v * v for v in x))
        self.lms = [clip(w + (gain * v >> 14), 1 << 17) for w, v in zip(self.lms, x)]
        self.ema = [clip(e + (q16 - e >> s) - q16, pm) for e, s in zip(self.ema, (2, 4))]
        self.d, self.seen = [q] + d[:7], min(46, n + 1)
        self.run = 0 if diff else min(255, run + 1)
        self.sign = (1 if diff > 0 else -1) if diff else self.sign
        self.last += diff
        need(abs(self.last) <= K_MAX)
        return self.last


def text(v, e):
    """v x 10^-e with e decimals."""
    s = str(abs(v)).rjust(e + 1, "0")
    return ("-" if v < 0 else "") + (s[:-e] + "." + s[-e:] if e else s)


class Column:
    def __init__(self):
        self.flag = self.other = self.kind = self.repeat = self.raw = 0
        self.same, self.even, self.k = 1, [32768, 0], 0
        self.a_same, self.a_normal = [[32768, 0], [64512, 12]], [[64512, 12], [32768, 0], [32768, 0]]
        self.a_other, self.a_missing, self.a_repeat = [32768, 0], [32768, 0], [[32768, 0], [32768, 0]]

    def params(self, mode, e=0, num=1, den=1, off=0, even=0, zeros=0):
        need(e <= 18 and 0 < num < 1 << 31 and 0 < den <= 4096 and zeros <= 32)
        need(-1 << 63 <= off < 1 << 63)
        self.mode, self.e, self.num, self.den, self.off = mode, e, num, den, off
        self.half_even, self.zeros, self.fresh, self.k = even, zeros, True, 0

    def value(self, k):
        need(abs(k) <= K_MAX)
        if self.den > 1:
            need(abs(2 * k * self.num) <= 1 << 52)
            q, rest = divmod(2 * k * self.num + self.den, 2 * self.den)
            k = q - (1 if self.half_even and not rest and q & 1 else 0)
        else:
            k *= self.num
        need(-1 << 63 <= k < 1 << 63 and -1 << 63 <= k + self.off < 1 << 63)
        return text(k + self.off, self.e)

    def dense_params(self, r):
        if r.raw(1):
            self.params(1, zeros=r.raw(6))
        else:
            e = r.raw(5)
            if r.raw(1):
                self.params(0, e)
            else:
                self.params(0, e, r.number(), r.number(), r.signed(), r.raw(1))
        self.m = Model(1024)

    def dense_cell(self, r):
        self.same = r.adapt(self.a_same[self.same])
        if not self.same:
            f = self.other if r.adapt(self.a_other) else r.number()
            need(f < 1 << 32)
            self.flag, self.other = f, self.flag
        if not r.adapt(self.a_normal[self.kind]):
            missing = r.adapt(self.a_missing)
            self.kind = 1 if missing else 2
            if missing:
                return "", self.flag
            if r.raw(1):
                e = r.raw(5)
                need(e <= 18)
                return text(r.signed(), e), self.flag
            return "x%016x" % r.raw(64), self.flag
        self.kind = 0
        if self.mode:
            self.repeat = r.adapt(self.a_repeat[self.repeat])
            if not self.repeat:
                if self.fresh:
                    self.m.last = r.signed()
                hi = self.m.last if self.fresh else self.m.code(r)
                need(-1 << 31 <= hi < 1 << 31)
                hi = (hi ^ 0x7FFFFFFF if hi < 0 else hi) & 0xFFFFFFFF
                self.raw = hi << 32 | r.raw(32 - self.zeros) << self.zeros
                self.fresh = False
            return "x%016x" % self.raw, self.flag
        if self.fresh:
            self.fresh, self.m.last = False, r.signed()
            return self.value(self.m.last), self.flag
        return self.value(self.m.code(r)), self.flag


class Decoder:
    """Frames of one stream, in order; frame() gives (header, times, rows of (text, flag))."""

    def __init__(self):
        self.last = None

    def frame(self, f):
        need(8 <= len(f) <= MAX_FRAME and f[0] >= 0xF8 and f[0] & 3 != 3)
        crc = crc32c(f[:-4])
        need(crc == int.from_bytes(f[-4:], "little"), "checksum")
        b, key, dense = Bytes(f[:-4]), f[0] >> 2 & 1, f[0] >> 1 & 1
        b.u8()
        h = {"stream": b.var(0xFFFFFFFF), "segment": b.var(0xFFFFFFFF), "seq": 0, "crc": crc}
        if not key:
            h["seq"] = b.var(65535)
            want = self.last and (self.last["stream"], self.last["segment"], self.last["seq"] + 1,
                                  self.last["crc"] & 0xFFFF, self.dense)
            chain = int.from_bytes(b.take(2), "little")
            need(h["seq"])
            need((h["stream"], h["segment"], h["seq"], chain, dense) == want, "chain")
        n = b.var(65535)
        if key:
            m = b.var(1024)
            h["layout"] = int.from_bytes(b.take(4), "little")
            period, unit = unzigzag(b.var(0xFFFFFFFF)), b.var(1 << 20)
            t = unzigzag(b.var(2 * T_MAX))
            need(m and unit and abs(period) < 1 << 31)
        else:
            m = self.m
        need(n and n * m <= MAX_CELLS)
        self.last = None
        if key:
            self.m, self.dense, self.period, self.unit, self.t = m, dense, period, unit, t
            self.col = [Column() for _ in range(m)]
            self.regular, self.a_jump, self.clock = 1, [32768, 0], Model(16)
            self.a_regular = [[32768, 0], [64512, 12]]
        out = (self.dense_rows if dense else self.plain_rows)(b.d[b.i:], n, key, f[0] & 1)
        self.last = h
        return h, out[0], list(zip(*out[1]))

    def dense_rows(self, data, n, key, _):
        r = Coder(data)
        times = [self.t if i == 0 and key else self.dense_time(r) for i in range(n)]
        cols = []
        for c in self.col:
            if key or r.bit(256):
                c.dense_params(r)
            cols.append([c.dense_cell(r) for _ in range(n)])
        need(r.i >= len(data))
        return times, cols

    def dense_time(self, r):
        self.regular, q = r.adapt(self.a_regular[self.regular]), 1
        if not self.regular and r.adapt(self.a_jump):
            dt = r.signed()
            need(abs(dt) <= 2 * T_MAX)
        else:
            q = 1 if self.regular else r.signed()
            step = -self.clock.last
            step += self.clock.code(r)
            need(abs(q) <= 1 << 20 and abs(step) <= 1 << 30)
            dt = q * self.period + step * self.unit
        self.t += dt
        need(abs(self.t) <= T_MAX)
        return self.t

    def plain_rows(self, data, n, key, deflated):
        if deflated:
            z, room = zlib.decompressobj(-15), 128 + n * 24 + self.m * 40 + n * self.m * 32
            try:
                d2 = z.decompress(data, room + 1)
            except zlib.error:
                raise Bad("deflate") from None
            need(z.eof and not z.unused_data and len(d2) <= room)
            data = d2
        b, times, cols = Bytes(data), [], []
        for i in range(n):
            if i or not key:
                self.t += self.period + unzigzag(b.var(8 * T_MAX))
            need(abs(self.t) <= T_MAX)
            times.append(self.t)
        for c in self.col:
            head = b.u8()
            need(head < 8 and (head & 1 or not key))
            if head & 1:
                mode = b.u8()
                need(mode < 2)
                if mode:
                    c.params(1)
                else:
                    e = b.u8()
                    c.params(0, e & 127, b.var(0xFFFFFFFF), b.var(0xFFFFFFFF), unzigzag(b.var()), e >> 7)
            flags = self.runs(b, n, 0xFFFFFFFF) if head & 2 else [c.flag] * n
            kinds = self.runs(b, n, 0) if head & 4 else [NORMAL] * n
            c.flag, cells = flags[-1], []
            for k in kinds:
                if k == MISSING:
                    cells.append("")
                elif k == EXC_DEC:
                    e = b.u8()
                    need(e <= 18)
                    cells.append(text(unzigzag(b.var()), e))
                elif k == EXC_DBL or c.mode:
                    cells.append("x" + b.take(8)[::-1].hex())
                else:
                    c.k += unzigzag(b.var(4 * K_MAX))
                    cells.append(c.value(c.k))
            cols.append(list(zip(cells, flags)))
        need(b.i == len(data))
        return times, cols

    @staticmethod
    def runs(b, n, most):
        out = []
        while len(out) < n:
            k = b.var(n - len(out))
            v = b.var(most) if most else b.u8()
            need(k and (most or v <= EXC_DBL))
            out += [v] * k
        return out


def frames(data):
    """The frames of a file: "SF1\\n", then length and frame, again and again."""
    need(data[:4] == b"SF1\n", "not an SF1 file")
    b = Bytes(data)
    b.i = 4
    while b.i < len(data):
        yield b.take(b.var(MAX_FRAME))


def main(path):
    with open(path, "rb") as f:
        data = f.read()
    d = Decoder()
    for f in frames(data):
        _, times, rows = d.frame(f)
        for t, row in zip(times, rows):
            print(",".join([str(t)] + [v + (";%d" % q if q else "") for v, q in row]))


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except Bad as e:
        sys.exit("sf1: %s" % e)
