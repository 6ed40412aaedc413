// SPDX-License-Identifier: Apache-2.0
// spark - the small line of a card: the last 24 hours, or as much of them as there is.

const WIDTH = 200, HEIGHT = 36, PAD = 4, POINTS_MAX = 400;
const usable = new Set(["good", "not_evaluated", "suspect"]);

export class Spark {
  constructor(svg) {
    this.line = svg.querySelector(".line");
    this.area = svg.querySelector(".area");
    this.points = [];
  }

  load(history) {
    const grade = history.columns.indexOf("grade");
    const rows = history.rows.filter((r) => r[1] !== null && usable.has(r[grade]))
      .map((r) => [r[0], r[1]]);
    const last = rows.length ? rows[rows.length - 1][0] : 0;
    this.points = rows.concat(this.points.filter((p) => p[0] > last));
    this.gap = Math.max(history.period_ms * 3, 60000);
    this.draw();
  }

  add(ms, sample) {
    if (sample.value === null || !usable.has(sample.grade)) return;
    this.points.push([ms, sample.value]);
    if (this.points.length > POINTS_MAX) this.points = this.points.filter((_, i) => i % 2);
    this.draw();
  }

  draw() {
    const p = this.points;
    if (p.length < 2) return;
    const from = p[0][0], span = Math.max(1, p[p.length - 1][0] - from);
    let low = Infinity, high = -Infinity;
    for (const [, v] of p) { low = Math.min(low, v); high = Math.max(high, v); }
    const range = high - low || 1;
    const x = (t) => ((t - from) / span * WIDTH).toFixed(1);
    const y = (v) => (high === low ? HEIGHT / 2
      : HEIGHT - PAD - (v - low) / range * (HEIGHT - 2 * PAD)).toFixed(1);
    const gap = Math.max(this.gap ?? 60000, span / 20);
    let path = "", area = "", start = 0;
    for (let i = 0; i < p.length; i++) {
      const breaks = i === 0 || p[i][0] - p[i - 1][0] > gap;
      if (breaks && i) area += close(p, start, i - 1, x);
      if (breaks) start = i;
      const at = `${breaks ? "M" : "L"}${x(p[i][0])} ${y(p[i][1])}`;
      path += at;
      area += at;
    }
    this.line.setAttribute("d", path);
    this.area.setAttribute("d", area + close(p, start, p.length - 1, x));
  }
}

function close(p, first, last, x) {
  return `L${x(p[last][0])} ${HEIGHT}L${x(p[first][0])} ${HEIGHT}Z`;
}
