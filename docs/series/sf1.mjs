// SPDX-License-Identifier: Apache-2.0
// Decoder of the Sluice frame, version 1 (SF1); see series-format.md. No dependencies: browser and node.
//   const d = new Decoder(); for (const f of frames(bytes)) { const { times, rows } = d.frame(f); ... }
// rows[i][j] is { text, flag }: text "" (missing), a decimal, or "x" and the 16 hex digits of a double.
const K_MAX = 2 ** 51, T_MAX = 2 ** 50, MAX_CELLS = 1 << 20, MAX_FRAME = 1 << 20, ONE = 1 << 22;
const PRED = [0, 0, 1, 2, 2, 3, 4], SLOW = [0, 1, 0, 0, 1, 0, 1];
const W0 = [
  20142, 7699, 4822, -18117, -9141, 5086, -180, 27150, 4831, 2747, 5642, 3047, 7166, -22701, -18719, -19100, 8755, -7869, 388, 11141, 5065, -4265,
  -1064, 4412, 8005, 27476, 12196, -6533, 5006, -5278, 12834, 7251, 1848, 7810, 5340, 25174, 5004, 2159, 4525, -2102, 4600, -62105, 2898, -6850, 12602,
  8013, -3622, 13906, 634, 27358, 2728, 1400, 1920, -1393, 5530, -33733, 7355, -5280, 9045, 10168, -4015, 12495, -578, 21137, 3837, 2402, 2688, 187,
  3750, -17272, 5136, -4968, 8396, 8100, -3275, 11064, -437, 32095, 4860, 2667, 1562, -2706, 3248, -3270, 5222, -1903, 9183, 7363, -245, 4926, 1379,
  15905, 2311, 2947, -322, 6129, 4051, 3410, 8011, -2035, 8168, 9049, -1151, 9281, -1388, 14810, 3565, 364, -258, 3717, 2672, 5656, 7308, 640, 6864,
  7451, 1086, 7361, -182, 11814, 825, 253, -1756, 8465, 149, 6486, 3570, 4077, 5816, 3809, 4174, 7066, -677, 16461, -439, -3445, -2280, 10554, 644,
  7101, 4905, 972, 13712, 5276, 1444, 7136, 6651, 16630, 1861, 634, 2647, -480, 1587, -33664, 4834, 3103, 3091, 5794, 3524, 6541, 2717, 21203, 2001,
  915, 1571, -3228, 257, -17802, 7326, 6654, 5027, 7528, 6681, 2136, -931, 17621, 2445, 1718, 2168, -403, 1580, -4224, 6407, 5092, 6261, 6868, 5278,
  6811, 7774, 8204, -238, -80, -1888, 2255, -73, 572, 7194, 6628, 5865, 6973, 6545, 4192, 3928, 14284, 959, 211, -554, 1457, 185, 136, 8448, 8588, 7720,
  8643, 8499, 6589, 3877, 18626, -63, -721, -1669, 985, -173, -867,
];
export class Bad extends Error {}
const need = (ok, why = 'malformed') => { if (!ok) throw new Bad(why); };
const clip = (v, m) => v < -m ? -m : v > m ? m : v;
const shr = (v, n) => Math.floor(v / 2 ** n);
const bits = v => v < 2 ** 32 ? 32 - Math.clz32(v) : 64 - Math.clz32(shr(v, 32));
const unzig = u => typeof u === 'bigint' ? (u & 1n ? -(u + 1n) / 2n : u / 2n) : u % 2 ? -(u + 1) / 2 : u / 2;
const table = (n, f) => Array.from({ length: n }, (_, i) => f(i));
// ---- tables, all from integers
const EX = [2 ** 30];
while (EX.length < 3200) EX.push(Number(BigInt(EX[EX.length - 1]) * 1069555701n >> 30n));
const SQUASH = table(3073, i => Math.floor(2 ** 52 / (2 ** 30 + EX[i])));
const LG = [0];
for (let i = 1, n = 0; i < 512; LG[i++] = n) while (EX[n + 1] * i >= 2 ** 30) n++;
const RATE = table(256, i => Math.floor(131072 / (2 * i + 3))), RECIP = table(47, i => Math.floor(65536 / (i + 2)));
const SCALE = table(16, i => Math.floor(2907136 / (33 + 2 * i)));
const CRC = table(256, i => { for (let k = 0; k < 8; k++) i = i >>> 1 ^ (i & 1 ? 0x82F63B78 : 0); return i >>> 0; });
const lg = v => { const s = 23 - Math.clz32(v); return s <= 0 ? LG[v] : LG[v >> s] + (s * 45426 >> 8); };
const logOdds = (a, b) => clip(lg(a || 1) - lg(b || 1), 2047);
const squash = z => z >= 3072 ? ONE : z <= -3072 ? 0 : z < 0 ? ONE - SQUASH[-z] : SQUASH[z];
const STRETCH = table(4096, p => logOdds(2 * p + 1, 8191 - 2 * p));
export const crc32c = b => { let c = -1; for (const x of b) c = c >>> 8 ^ CRC[(c ^ x) & 255]; return ~c >>> 0; };

class Bytes {
  constructor(d, i = 0) { this.d = d; this.i = i; }
  u8() { need(this.i < this.d.length); return this.d[this.i++]; }
  le(n) { let v = 0n; for (let k = 0; k < n; k++) v |= BigInt(this.u8()) << BigInt(8 * k); return v; }
  big() {
    for (let v = 0n, s = 0n; ; s += 7n) {
      const b = this.u8();
      v |= BigInt(b & 127) << s;
      need(v < 1n << 64n && (b < 128 || s < 63n));
      if (b < 128) return v;
    }
  }
  var(most) {
    let v = 0;
    for (let s = 0; ; s += 7) {
      const b = this.u8();
      v += (b & 127) * 2 ** s;
      need(v <= most && (b < 128 || s < 63));
      if (b < 128) return v;
    }
  }
}

class Coder {
  constructor(d) { this.d = d; this.i = 0; this.lo = 0; this.hi = 0xFFFFFFFF; this.x = 0; for (let k = 0; k < 4; k++) this.next(); }
  next() { this.x = (this.x << 8 | (this.i < this.d.length ? this.d[this.i] : 0)) >>> 0; this.i++; }
  bit(p) {
    const mid = this.lo + shr((this.hi - this.lo) * p, 16), y = this.x <= mid ? 1 : 0;
    if (y) this.hi = mid; else this.lo = mid + 1;
    while (!((this.lo ^ this.hi) >>> 24)) { this.lo = this.lo << 8 >>> 0; this.hi = (this.hi << 8 | 255) >>> 0; this.next(); }
    return y;
  }
  raw(n) {
    if (n > 53) return BigInt(this.raw(n - 32)) << 32n | BigInt(this.raw(32));
    let v = 0;
    while (n--) v = v * 2 + this.bit(32768);
    return v;
  }
  number() {
    const n = this.raw(6);
    return n === 63 ? this.raw(64) : n > 53 ? 1n << BigInt(n - 1) | BigInt(this.raw(n - 1)) : n ? 2 ** (n - 1) + this.raw(n - 1) : 0;
  }
  signed() { return unzig(this.number()); }
  adapt(a) { const y = this.bit(Math.max(24, Math.min(65512, a[0]))); update(a, y); return y; }
}
const update = (a, y) => { a[0] += shr(((y ? 65535 : 0) - a[0]) * RATE[a[1]], 16); if (a[1] < 255) a[1]++; };

class Model {
  constructor(a0) {
    this.last = 0; this.d = Array(8).fill(0); this.ema = [0, 0]; this.lms = Array(10).fill(0); this.a = Array(7).fill(a0);
    this.seen = this.run = this.sign = 0;
    this.w = table(16, i => W0.slice(14 * i, 14 * i + 14));
    this.c = table(6, () => table(256, () => [32768, 0]));
  }
  decide(r, ctx, x, node, set) {
    const g = Math.imul(node, 0x9E3779B1), w = this.w[set], c = this.c.map((t, i) => t[Math.imul(ctx[i] ^ g, 0x2545F491) >>> 24]);
    let dot = 0;
    for (const a of c) x.push(STRETCH[a[0] >> 4]);
    x.push(64);
    for (let i = 0; i < 14; i++) dot += w[i] * x[i];
    const p = Math.max(24, Math.min(65512, squash(clip(shr(dot, 16), 2047)) >> 6)), y = r.bit(p), e = y * 65536 - p;
    for (let i = 0; i < 14; i++) w[i] = clip(w[i] + (x[i] * e * 14 >> 21), 1 << 24);
    for (const a of c) update(a, y);
    return y;
  }
  code(r) {
    const { d, ema, run } = this, P = 2 ** 32, cl = v => v < 3 ? v : Math.min(9, bits(v) + 1);
    let x = [...d, shr(ema[1], 4), shr(ema[0], 4)], sh = 0, lin = 0, power = 1, diff = 0;
    for (const big = Math.max(...x.map(Math.abs)); shr(big, sh) > 4095; sh++);
    x = x.map(v => shr(v, sh));
    for (let i = 0; i < 10; i++) { lin += this.lms[i] * x[i]; power += x[i] * x[i]; }
    lin = clip(shr(lin, 12) * 2 ** sh, P);
    const mu = [0, d[0] * 16, lin, ema[0], ema[1]];
    const ctx = [0, cl(Math.abs(d[0])) * 10 + cl(Math.abs(d[1])), (clip(d[0], 3) + 3) * 49 + (clip(d[1], 3) + 3) * 7 + clip(d[2], 3) + 3,
      this.last >>> 0, (run > 31 ? 31 : run > 8 ? 8 + (run - 8 >> 2) : run) * 3 + this.sign + 1,
      (clip(shr(lin + 8, 4), 6) + 6) * 64 + (clip(shr(mu[4] + 8, 4), 4) + 4) * 16 + (d[0] > 0 ? 1 : d[0] < 0 ? 2 : 0)];
    const sc = this.a.map(a => { a = Math.max(8, a); const b = bits(a) - 5; return [SCALE[shr(a, b) - 16], 8 + b]; });
    const cdf = (at, m) => sc.map(([s, t], q) => squash(shr(clip(at - m[PRED[q]], 2 ** 34) * s, t)));
    let L = cdf(-8, mu), R = cdf(8, mu);
    if (!this.decide(r, ctx, L.map((a, q) => logOdds(R[q] - a, ONE - R[q] + a)), 1, 0)) {
      const up = this.decide(r, ctx, L.map((a, q) => ONE - R[q] + a < 64 ? 0 : logOdds(ONE - R[q], a)), 2, 1), m = up ? mu : mu.map(v => -v);
      L = up ? R : cdf(8, m);
      let n = 0;
      for (; ; n++) {
        need(n < 52);
        R = n > 30 ? L.map(() => ONE) : cdf(32 * 2 ** n - 8, m);
        if (!this.decide(r, ctx, L.map((a, q) => n > 30 || ONE - a < 64 ? 0 : logOdds(ONE - R[q], R[q] - a)), 3 + n, 2 + Math.min(n, 7))) break;
        L = R;
      }
      let v = 2 ** n;
      for (let j = 0; j < 3 && j < n; j++) {
        const half = 2 ** (n - 1 - j), M = n > 30 ? L.map(() => 0) : cdf((v + half) * 16 - 8, m);
        const par = L.map((a, q) => n > 30 || R[q] - a < 64 ? 0 : logOdds(R[q] - M[q], M[q] - a));
        if (this.decide(r, ctx, par, 256 + 16 * n - 1 + shr(v, n - j), 10 + j + (n > 4 ? 3 : 0))) { L = M; v += half; } else R = M;
      }
      if (n > 3) v += r.raw(n - 3);
      diff = up ? v : -v;
    }
    const q = clip(diff, 2 ** 28), q16 = q * 16, n = this.seen, gain = Math.floor(clip(shr(q16 - lin, sh), 65536) * 196608 / power);
    this.a = this.a.map((a, i) => a + shr((16 * Math.abs(q16 - mu[PRED[i]]) - a) * RECIP[Math.min(n, SLOW[i] ? 46 : 6)], 16));
    this.lms = this.lms.map((w, i) => clip(w + shr(gain * x[i], 14), 1 << 17));
    this.ema = ema.map((e, i) => clip(e + shr(q16 - e, 2 + 2 * i) - q16, P));
    this.d = [q, ...d.slice(0, 7)];
    this.seen = Math.min(46, n + 1);
    this.run = diff ? 0 : Math.min(255, run + 1);
    this.sign = Math.sign(diff) || this.sign;
    this.last += diff;
    need(Math.abs(this.last) <= K_MAX);
    return this.last;
  }
}

const text = (v, e) => {
  const s = String(v < 0 ? -v : v).padStart(e + 1, '0');
  return (v < 0 ? '-' : '') + (e ? s.slice(0, -e) + '.' + s.slice(-e) : s);
};
const hex = u => 'x' + u.toString(16).padStart(16, '0');

class Column {
  constructor() {
    Object.assign(this, { flag: 0, other: 0, kind: 0, repeat: 0, raw: 0n, same: 1, aSame: [[32768, 0], [64512, 12]], aOther: [32768, 0],
      aNormal: [[64512, 12], [32768, 0], [32768, 0]], aMissing: [32768, 0], aRepeat: [[32768, 0], [32768, 0]] });
  }
  params(mode, e = 0, num = 1, den = 1, off = 0n, even = 0, zeros = 0) {
    off = BigInt(off);
    need(e <= 18 && num > 0 && num < 2 ** 31 && den > 0 && den <= 4096 && zeros <= 32 && off === BigInt.asIntN(64, off));
    Object.assign(this, { mode, e, num: Number(num), den: Number(den), off, even, zeros, fresh: true, k: 0 });
  }
  value(k) {
    need(k <= K_MAX && k >= -K_MAX);
    let x = Number(k) * this.num;
    if (this.den > 1) {
      need(Math.abs(2 * x) <= 2 ** 52);
      const t = 2 * x + this.den;
      x = Math.floor(t / (2 * this.den));
      if (this.even && x * 2 * this.den === t && x % 2) x--;
    } else if (Math.abs(x) > 2 ** 52) x = BigInt(k) * BigInt(this.num);
    const v = BigInt(x) + this.off;
    need(BigInt(x) === BigInt.asIntN(64, BigInt(x)) && v === BigInt.asIntN(64, v));
    return text(v, this.e);
  }
  denseParams(r) {
    if (r.raw(1)) this.params(1, 0, 1, 1, 0n, 0, r.raw(6));
    else { const e = r.raw(5); if (r.raw(1)) this.params(0, e); else this.params(0, e, r.number(), r.number(), r.signed(), r.raw(1)); }
    this.m = new Model(1024);
  }
  denseCell(r) {
    this.same = r.adapt(this.aSame[this.same]);
    if (!this.same) {
      const f = r.adapt(this.aOther) ? this.other : r.number();
      need(f < 2 ** 32);
      [this.flag, this.other] = [f, this.flag];
    }
    return { text: this.denseValue(r), flag: this.flag };
  }
  denseValue(r) {
    if (!r.adapt(this.aNormal[this.kind])) {
      this.kind = r.adapt(this.aMissing) ? 1 : 2;
      if (this.kind === 1) return '';
      if (!r.raw(1)) return hex(r.raw(64));
      const e = r.raw(5);
      need(e <= 18);
      return text(r.signed(), e);
    }
    this.kind = 0;
    if (this.mode) {
      this.repeat = r.adapt(this.aRepeat[this.repeat]);
      if (!this.repeat) {
        let hi = this.fresh ? this.m.last = Number(r.signed()) : this.m.code(r);
        need(hi >= -(2 ** 31) && hi < 2 ** 31);
        hi = hi < 0 ? hi ^ 0x7FFFFFFF : hi;
        this.raw = BigInt(hi >>> 0) << 32n | BigInt(r.raw(32 - this.zeros)) << BigInt(this.zeros);
        this.fresh = false;
      }
      return hex(this.raw);
    }
    if (!this.fresh) return this.value(this.m.code(r));
    this.fresh = false;
    return this.value(this.m.last = Number(r.signed()));
  }
}

const tree = lens => { // canonical Huffman code of deflate: counts and symbols
  const count = Array(16).fill(0), at = [0, 0], sym = [];
  for (const l of lens) count[l]++;
  count[0] = 0;
  for (let l = 1; l < 15; l++) at[l + 1] = at[l] + count[l];
  lens.forEach((l, s) => { if (l) sym[at[l]++] = s; });
  return { count, sym };
};
const LEN = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
const DIST = table(30, i => i < 4 ? i + 1 : (2 + (i & 1)) * 2 ** ((i >> 1) - 1) + 1);
export const inflate = (d, room) => {
  const out = [];
  let i = 0, acc = 0, have = 0, last;
  const get = n => { while (have < n) { need(i < d.length); acc |= d[i++] << have; have += 8; } const v = acc & (1 << n) - 1; acc >>>= n; have -= n; return v; };
  const sym = t => { for (let l = 1, code = 0, first = 0, at = 0; l < 16; l++) { code |= get(1); const c = t.count[l]; if (code - c < first) return t.sym[at + code - first]; at += c; first = first + c << 1; code <<= 1; } need(false); };
  do {
    last = get(1);
    const type = get(2);
    need(type < 3);
    if (!type) {
      acc = have = 0;
      const n = get(16);
      need((get(16) ^ n) === 0xFFFF && out.length + n <= room && i + n <= d.length);
      for (let k = 0; k < n; k++) out.push(d[i++]);
      continue;
    }
    let lit = table(288, s => s < 144 ? 8 : s < 256 ? 9 : s < 280 ? 7 : 8), dist = Array(30).fill(5);
    if (type === 2) {
      const nl = get(5) + 257, nd = get(5) + 1, nc = get(4) + 4, cl = Array(19).fill(0), all = [];
      for (let k = 0; k < nc; k++) cl[[16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15][k]] = get(3);
      for (const t = tree(cl); all.length < nl + nd;) {
        const s = sym(t);
        need(s !== 16 || all.length);
        if (s < 16) all.push(s);
        else for (let k = s === 16 ? 3 + get(2) : s === 17 ? 3 + get(3) : 11 + get(7), v = s === 16 ? all[all.length - 1] : 0; k; k--) all.push(v);
      }
      need(all.length === nl + nd);
      [lit, dist] = [all.slice(0, nl), all.slice(nl)];
    }
    for (const tl = tree(lit), td = tree(dist); ;) {
      const s = sym(tl);
      if (s === 256) break;
      if (s < 256) out.push(s);
      else {
        need(s < 286);
        const n = LEN[s - 257] + (s < 265 || s === 285 ? 0 : get((s - 261) >> 2)), k = sym(td);
        need(k < 30);
        const back = DIST[k] + (k < 4 ? 0 : get((k >> 1) - 1));
        need(back <= out.length && out.length + n <= room);
        for (let c = 0; c < n; c++) out.push(out[out.length - back]);
      }
      need(out.length <= room);
    }
  } while (!last);
  need(i === d.length);
  return out;
};

export class Decoder { // the frames of one stream, in order
  frame(f) {
    need(f.length >= 8 && f.length <= MAX_FRAME && f[0] >= 0xF8 && (f[0] & 3) !== 3);
    const end = f.length - 4, crc = crc32c(f.subarray(0, end)), key = f[0] >> 2 & 1, dense = f[0] >> 1 & 1, b = new Bytes(f.subarray(0, end), 1);
    need(BigInt(crc) === new Bytes(f, end).le(4), 'checksum');
    const h = { stream: b.var(2 ** 32 - 1), segment: b.var(2 ** 32 - 1), seq: 0, crc, key, dense }, p = this.last;
    if (!key) {
      h.seq = b.var(65535);
      const chain = Number(b.le(2));
      need(h.seq);
      need(p && p.stream === h.stream && p.segment === h.segment && p.seq + 1 === h.seq && (p.crc & 65535) === chain && p.dense === dense, 'chain');
    }
    const n = b.var(65535), k = key ? { m: b.var(1024), layout: Number(b.le(4)), period: unzig(b.var(2 ** 32 - 1)), unit: b.var(1 << 20), t: unzig(b.var(2 * T_MAX)) } : this;
    need(n && k.m && k.unit && Math.abs(k.period) < 2 ** 31 && n * k.m <= MAX_CELLS);
    this.last = null;
    if (key) Object.assign(this, k, { col: table(k.m, () => new Column()), regular: 1, aRegular: [[32768, 0], [64512, 12]], aJump: [32768, 0], clock: new Model(16) });
    const data = f.subarray(b.i, end), { times, cols } = dense ? this.denseRows(data, n, key) : this.plainRows(f[0] & 1 ? inflate(data, 128 + n * 24 + this.m * 40 + n * this.m * 32) : data, n, key);
    this.last = h;
    return { header: { ...h, layout: this.layout }, times, rows: times.map((_, i) => cols.map(c => c[i])) };
  }
  denseRows(data, n, key) {
    const r = new Coder(data), times = table(n, i => i || !key ? this.denseTime(r) : this.t);
    const cols = this.col.map(c => { if (key || r.bit(256)) c.denseParams(r); return table(n, () => c.denseCell(r)); });
    need(r.i >= data.length);
    return { times, cols };
  }
  denseTime(r) {
    let dt;
    this.regular = r.adapt(this.aRegular[this.regular]);
    if (!this.regular && r.adapt(this.aJump)) dt = Number(r.signed());
    else {
      const q = this.regular ? 1 : Number(r.signed()), was = this.clock.last, step = this.clock.code(r) - was;
      need(Math.abs(q) <= 1 << 20 && Math.abs(step) <= 2 ** 30);
      dt = q * this.period + step * this.unit;
    }
    return this.tick(dt);
  }
  tick(dt) { need(Math.abs(dt) <= 2 * T_MAX); this.t += dt; need(Math.abs(this.t) <= T_MAX); return this.t; }
  plainRows(data, n, key) {
    const b = new Bytes(data), times = table(n, i => i || !key ? this.tick(this.period + unzig(b.var(8 * T_MAX))) : this.t);
    const cols = this.col.map(c => {
      const head = b.u8();
      need(head < 8 && (head & 1 || !key));
      if (head & 1) {
        const mode = b.u8();
        need(mode < 2);
        if (mode) c.params(1);
        else { const e = b.u8(); c.params(0, e & 127, b.var(2 ** 32 - 1), b.var(2 ** 32 - 1), unzig(b.big()), e >> 7); }
      }
      const flags = head & 2 ? runs(b, n, () => b.var(2 ** 32 - 1)) : Array(n).fill(c.flag), kinds = head & 4 ? runs(b, n, () => b.u8()) : Array(n).fill(0);
      need(kinds.every(v => v < 4));
      c.flag = flags[n - 1];
      return kinds.map((v, i) => ({ text: plainValue(c, b, v), flag: flags[i] }));
    });
    need(b.i === data.length);
    return { times, cols };
  }
}
const runs = (b, n, value) => {
  const out = [];
  while (out.length < n) { const k = b.var(n - out.length), v = value(); need(k); for (let i = 0; i < k; i++) out.push(v); }
  return out;
};
const plainValue = (c, b, kind) => {
  if (kind === 1) return '';
  if (kind === 2) { const e = b.u8(); need(e <= 18); return text(unzig(b.big()), e); }
  if (kind === 3 || c.mode) return hex(b.le(8));
  c.k += unzig(b.var(4 * K_MAX));
  return c.value(c.k);
};

export function* frames(d) { // of a file: "SF1\n", then length and frame, again and again
  need(d.length >= 4 && d[0] === 83 && d[1] === 70 && d[2] === 49 && d[3] === 10, 'not an SF1 file');
  for (const b = new Bytes(d, 4); b.i < d.length;) { const n = b.var(MAX_FRAME); need(b.i + n <= d.length); yield d.subarray(b.i, b.i += n); }
}
export const csv = d => {
  const dec = new Decoder(), out = [];
  for (const f of frames(d)) { const { times, rows } = dec.frame(f); times.forEach((t, i) => out.push([t, ...rows[i].map(c => c.text + (c.flag ? ';' + c.flag : ''))].join(',') + '\n')); }
  return out.join('');
};
