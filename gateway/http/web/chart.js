// SPDX-License-Identifier: Apache-2.0
// chart - one channel in full: its facts, its curve, the same as a table.

import { clockText, dateText, exactText, lang, stationDate, word } from "./words.js";
import { reasonsText, stateOf } from "./state.js";
import * as frames from "./frames.js";

const POINTS = 700;
const RELOAD_MS = 15000;
const usable = new Set(["good", "not_evaluated", "suspect"]);
const byId = (id) => document.getElementById(id);

let library = null;
let graph = null;
let shown = null; // { channel, hours, opener }
let asked = 0;
let loadedAt = 0;
let drawn = null; // { channel, hours, source, window }

// Its legend writes style attributes, which the page's policy refuses; this page has its own.
function withoutLegend(Dygraph) {
  Dygraph.PLUGINS = Dygraph.PLUGINS.filter((p) => p !== Dygraph.Plugins.Legend);
  return Dygraph;
}

function loadLibrary() {
  library ??= new Promise((resolve, reject) => {
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = "/assets/dygraph.min.css";
    const script = document.createElement("script");
    script.src = "/assets/dygraph.min.js";
    script.onload = () => resolve(withoutLegend(window.Dygraph));
    script.onerror = () => reject(new Error("dygraph.min.js"));
    document.head.append(style, script);
  });
  return library;
}

export function openChannel() {
  return shown?.channel.id ?? null;
}

export function open(channel, channels, opener, now) {
  const dialog = byId("detail");
  shown = { channel, channels, hours: 24, opener, now };
  dialog.dataset.medium = channel.medium;
  byId("detail-name").textContent = opener.textContent;
  byId("detail-where").textContent = `${channel.deviceName} · ${channel.id}`;
  showFacts(channel);
  dialog.addEventListener("close", forget, { once: true });
  byId("detail-close").onclick = () => dialog.close();
  dialog.onclick = (e) => { if (e.target === dialog) dialog.close(); };
  for (const b of dialog.querySelectorAll("[data-hours]"))
    b.onclick = () => { shown.hours = Number(b.dataset.hours); load(); };
  if (!dialog.open) dialog.showModal();
  return load();
}

function forget() {
  graph?.destroy();
  graph = null;
  shown?.opener?.focus();
  shown = null;
}

export function showFacts(channel) {
  if (shown?.channel.id !== channel.id) return;
  const state = stateOf(channel);
  const why = reasonsText(channel, lang);
  byId("detail-value").textContent = `${exactText(channel)} ${channel.unit}`;
  byId("detail-state").textContent = word(`state.${state.key}`) + (why ? ` (${why})` : "");
  byId("detail-time").textContent = channel.time ? dateText(Date.parse(channel.time)) : "–";
  if (graph && !isZoomed() && Date.now() - loadedAt > RELOAD_MS) load();
  const hour = shown.channels.get(`${channel.id}@1h`);
  byId("detail-hour-fact").hidden = !hour?.time;
  if (hour?.time)
    byId("detail-hour").textContent =
      hour.value === null ? "–" : `${hour.value.toFixed(channel.digits)} ${channel.unit}`;
}

// To dygraphs a curve with a window given is a zoomed one.
function isZoomed() {
  const [from, to] = graph.xAxisRange();
  return from !== drawn.window[0] || to !== drawn.window[1] || graph.isZoomed("y");
}

async function thinnedHistory(channel, hours) {
  const query = new URLSearchParams({ channel: channel.id, hours, points: POINTS });
  const answer = await fetch(`/api/v1/history?${query}`);
  if (!answer.ok) throw new Error(answer.statusText);
  return answer.json();
}

// Every row, out of the log's frames; null where they are too many or cannot be decoded here.
async function fullHistory(channel, hours) {
  return frames.isSmall(channel, shown.channels, hours)
    ? frames.history(channel, hours, shown.now()) : null;
}

// What the station thins comes at once; every row takes its place when it is decoded. A curve that
// is made of every row waits for the next such.
async function load() {
  const { channel, hours } = shown;
  const ticket = ++asked;
  const isSame = graph && drawn?.channel === channel.id && drawn.hours === hours;
  const draw = (Dygraph, history, source) => {
    if (ticket !== asked || !shown) return;
    byId("chart-note").textContent = history.rows.length ? "" : word("chart.empty");
    byId("chart").dataset.source = source;
    drawn = { channel: channel.id, hours, source };
    drawGraph(Dygraph, history);
    drawTable(history);
  };
  loadedAt = Date.now();
  for (const b of byId("detail").querySelectorAll("[data-hours]"))
    b.setAttribute("aria-pressed", String(Number(b.dataset.hours) === hours));
  if (!graph) byId("chart-note").textContent = word("chart.loading");
  try {
    const full = fullHistory(channel, hours).catch(() => null);
    const Dygraph = await loadLibrary();
    if (!isSame || drawn.source !== "frames")
      draw(Dygraph, await thinnedHistory(channel, hours), "history");
    const found = await full;
    if (found) draw(Dygraph, found, "frames");
    else if (drawn?.source === "frames")
      draw(Dygraph, await thinnedHistory(channel, hours), "history");
  } catch {
    if (ticket === asked && shown) byId("chart-note").textContent = word("chart.failed");
  }
}

// [Date, [low, mean, high]] with an empty row wherever data are missing or not fit for use.
function points(history) {
  const thin = history.columns[1] === "mean";
  const grade = history.columns.length - 1;
  const gap = history.period_ms * 2.5;
  const out = [];
  let before = null;
  for (const r of history.rows) {
    const has = r[1] !== null && usable.has(r[grade]);
    if (before !== null && r[0] - before > gap) out.push([new Date(before + 1), null]);
    out.push([new Date(r[0]), has ? (thin ? [r[2], r[1], r[3]] : [r[1], r[1], r[1]]) : null]);
    before = r[0];
  }
  return out;
}

function drawGraph(Dygraph, history) {
  graph?.destroy();
  graph = null;
  byId("chart-legend").textContent = "";
  const rows = points(history);
  byId("chart").hidden = rows.length === 0;
  if (rows.length === 0) return;
  const style = getComputedStyle(byId("detail"));
  const digits = shown.channel.digits;
  const first = history.rows[0][0], last = history.rows[history.rows.length - 1][0];
  graph = new Dygraph(byId("chart"), rows, {
    labels: [word("chart.time"), byId("detail-name").textContent],
    customBars: true,
    legend: "never",
    color: style.getPropertyValue("--tone").trim(),
    strokeWidth: 1.8,
    fillAlpha: 0.18,
    drawPoints: history.rows.length < 40,
    pointSize: 2,
    connectSeparatedPoints: false,
    dateWindow: [first, Math.max(last, first + 60000)],
    gridLineColor: style.getPropertyValue("--edge").trim(),
    axisLineColor: style.getPropertyValue("--edge").trim(),
    highlightCircleSize: 4,
    xRangePad: 6,
    yRangePad: 12,
    labelsUTC: true,
    axes: {
      x: { axisLabelFormatter: (d) => axisText(d.getTime(), last - first) },
      y: { axisLabelWidth: 52 },
    },
    highlightCallback: (e, x, found) => {
      const p = found.find((f) => Number.isFinite(f.yval));
      byId("chart-legend").textContent =
        p ? `${dateText(x)}   ${p.yval.toFixed(Math.min(20, digits + 1))} ${history.unit}` : "";
    },
    unhighlightCallback: () => { byId("chart-legend").textContent = ""; },
  });
  drawn.window = graph.xAxisRange();
}

function axisText(ms, span) {
  const text = clockText(ms);
  if (span < 600000) return text;
  return text === "00:00:00" ? stationDate(ms).toISOString().slice(5, 10) : text.slice(0, 5);
}

function cell(tag, text, className) {
  const c = document.createElement(tag);
  c.textContent = text;
  if (className) c.className = className;
  return c;
}

function drawTable(history) {
  const names = { ms: "chart.time", value: "chart.value", mean: "chart.mean", min: "chart.min",
                  max: "chart.max", grade: "chart.state" };
  const head = document.createElement("tr");
  for (const c of history.columns) {
    const th = cell("th", word(names[c]), c === "ms" || c === "grade" ? "" : "num");
    th.scope = "col";
    head.append(th);
  }
  byId("table-head").replaceChildren(head);
  byId("table-body").replaceChildren(...history.rows.slice(-1000).reverse().map((r) => {
    const tr = document.createElement("tr");
    r.forEach((v, i) => {
      const column = history.columns[i];
      if (column === "ms") tr.append(cell("td", dateText(v)));
      else if (column === "grade") tr.append(cell("td", word(`state.${v}`)));
      else tr.append(cell("td", v === null ? "–" : String(v), "num"));
    });
    return tr;
  }));
}
