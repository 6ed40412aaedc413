// SPDX-License-Identifier: Apache-2.0
// app - keeps the page that the station rendered up to date. Numbers change in place; a list whose
// structure changes (alerts, instruments, another language) is fetched as the station renders it.

import { ageText, clockText, countText, lang, useLanguage, valueText, word } from "./words.js";
import { reasonsText, setIcon, stateOf } from "./state.js";
import { Spark } from "./spark.js";
import * as chart from "./chart.js";

const SILENCE_MS = 25000; // two beats and a half: the connection is gone
const byId = (id) => document.getElementById(id);

const channels = new Map();
const cards = new Map();
const sparks = new Map();
let stationAhead = 0; // station time minus the browser's
let started = null;
let knownAlerts = null; // "key/level" of the standing ones, once known
let knownDevices = null; // state by id
let linkState = "none";
let heardAt = Date.now();

// ---- pieces of the page ----

async function fetchPart(name) {
  const answer = await fetch(`/part/${name}?lang=${lang}`);
  if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
  return answer.text();
}

async function refresh(part) {
  try {
    const html = await fetchPart(part);
    const wasOpen = byId(part).querySelector("details")?.open ?? false;
    byId(part).innerHTML = html;
    if (wasOpen) byId(part).querySelector("details")?.setAttribute("open", "");
    showAges();
  } catch { /* the next event, or the reconnect, brings it */ }
}

function findCards() {
  cards.clear();
  for (const card of document.querySelectorAll("[data-channel]")) {
    const id = card.dataset.channel;
    const parts = {
      card, value: card.querySelector(".value"), icon: card.querySelector(".state .icon"),
      word: card.querySelector(".word"), why: card.querySelector(".why"),
      time: card.querySelector("time"),
    };
    cards.set(id, parts);
    const spark = new Spark(card.querySelector(".spark"));
    if (sparks.has(id)) {
      spark.points = sparks.get(id).points;
      spark.gap = sparks.get(id).gap;
      spark.draw();
    }
    sparks.set(id, spark);
    card.querySelector("button").addEventListener("click", (e) => {
      if (channels.has(id))
        chart.open(channels.get(id), channels, e.currentTarget, stationNow);
    });
  }
  for (const a of document.querySelectorAll("[data-lang]"))
    a.addEventListener("click", (e) => { e.preventDefault(); switchLanguage(a.dataset.lang); });
}

async function switchLanguage(next) {
  if (next === lang) return;
  try {
    await useLanguage(next);
    const html = await fetchPart("body");
    const at = window.scrollY;
    byId("page").innerHTML = html;
    window.scrollTo(0, at);
  } catch {
    location.search = `?lang=${next}`;
    return;
  }
  localStorage.setItem("lang", next);
  document.documentElement.lang = next === "zh" ? "zh-CN" : "en";
  document.title = `${document.querySelector("h1").textContent} · ${word("page.title")}`;
  const url = new URL(location.href);
  url.searchParams.set("lang", next);
  history.replaceState(null, "", url);
  findCards();
  showLink(linkState);
  showAges();
  document.querySelector(`[data-lang=${next}]`).focus();
}

// ---- numbers ----

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function showSample(id) {
  const c = channels.get(id), parts = cards.get(id);
  chart.showFacts(c);
  if (!parts) return;
  const state = stateOf(c);
  setText(parts.value, valueText(c, c.digits));
  setText(parts.word, word(`state.${state.key}`));
  setText(parts.why, reasonsText(c, lang));
  if (parts.card.dataset.state !== state.key) {
    parts.card.dataset.state = state.key;
    setIcon(parts.icon, state.icon);
  }
  parts.time.dateTime = c.time ?? "";
}

function take(samples) {
  for (const s of samples) {
    const c = channels.get(s.channel);
    if (!c) continue;
    const isNew = c.time !== s.time;
    Object.assign(c, { time: s.time, value: s.value, decimals: s.decimals, status: s.status,
                       grade: s.grade, reasons: s.reasons });
    if (isNew) sparks.get(s.channel)?.add(Date.parse(s.time), s);
    showSample(s.channel);
  }
  showReadingsTile();
}

function stationNow() {
  return Date.now() + stationAhead;
}

function showAges() {
  for (const t of document.querySelectorAll("time[data-age]")) {
    const ms = Date.parse(t.dateTime);
    if (Number.isNaN(ms)) continue;
    setText(t, ageText(stationNow() - ms));
    if (!t.title) t.title = clockText(ms);
  }
}

function showTime(iso) {
  const ms = Date.parse(iso);
  stationAhead = ms - Date.now();
  byId("now").dateTime = iso;
  setText(byId("now"), clockText(ms));
}

function tile(name) {
  const t = document.querySelector(`[data-tile=${name}]`);
  return {
    show(mood, icon, figure, note, of = "") {
      if (!t) return;
      t.dataset.mood = mood;
      setIcon(t, icon);
      setText(t.querySelector(".n"), figure);
      setText(t.querySelector(".of"), of);
      setText(t.querySelector(".note"), word(note));
    },
  };
}

function showReadingsTile() {
  let all = 0, good = 0;
  for (const c of channels.values()) {
    if (c.statistic) continue;
    all++;
    if (stateOf(c).key === "good") good++;
  }
  tile("readings").show(good < all ? "fair" : "good", good < all ? (good ? "warn" : "none") : "ok",
                        String(good), "tile.readings.note", `/ ${all}`);
}

function showAlertsTile(alerts) {
  const colours = ["none", "blue", "yellow", "orange", "red"];
  const standing = alerts.filter((a) => !a.cleared);
  const highest = Math.max(0, ...standing.map((a) => colours.indexOf(a.level)));
  tile("alerts").show(standing.length ? colours[highest] : "good", standing.length ? "warn" : "ok",
                      String(standing.length),
                      standing.length ? "tile.alerts.some" : "tile.alerts.none");
}

// For those who hear the page: what is new, not everything again.
function announceAlerts(alerts) {
  const standing = alerts.filter((a) => !a.cleared);
  const fresh = knownAlerts && standing.filter((a) => !knownAlerts.has(`${a.key}/${a.level}`));
  knownAlerts = new Set(standing.map((a) => `${a.key}/${a.level}`));
  if (fresh?.length)
    byId("announce").textContent =
      fresh.map((a) => `${word(`level.${a.level}`)}: ${a.title[lang]}`).join(". ");
}

function announceDevices(devices) {
  const changed = knownDevices && devices.filter((d) => knownDevices.get(d.id) !== d.state);
  knownDevices = new Map(devices.map((d) => [d.id, d.state]));
  if (changed?.length)
    byId("murmur").textContent =
      changed.map((d) => `${d.names[lang] || d.id}: ${word(`device.${d.state}`)}`).join(". ");
}

function showDevicesTile(devices) {
  const wanted = devices.filter((d) => d.state !== "disabled").length;
  const online = devices.filter((d) => d.state === "online").length;
  tile("devices").show(online < wanted ? "fair" : "good", online < wanted ? "warn" : "ok",
                       String(online), online < wanted ? "tile.devices.some" : "tile.devices.all",
                       `/ ${wanted}`);
}

function showDelivery({ log, uplinks }) {
  tile("log").show(log.error ? "poor" : "good", log.error ? "bad" : "ok", countText(log.samples),
                   log.error ? "tile.log.failing" : "tile.log.well");
  const rows = [...document.querySelectorAll("[data-uplink]")];
  const isSame = rows.length === uplinks.length && rows.every((r, i) =>
    r.dataset.uplink === uplinks[i].id &&
    (r.dataset.state === "online") === (uplinks[i].connected || uplinks[i].standby) &&
    r.querySelector(".why").textContent === uplinks[i].error);
  if (!isSame && (rows.length || uplinks.length)) refresh("uplinks");
  else uplinks.forEach((u, i) => {
    setText(rows[i].querySelector(".backlog"), countText(u.backlog));
    setText(rows[i].querySelector(".acked"), countText(u.acked_seq));
    setText(rows[i].querySelector(".aside"), countText(u.set_aside));
  });
  if (!uplinks.length) return;
  const backlog = Math.max(...uplinks.map((u) => u.backlog));
  const on = uplinks.every((u) => u.connected || u.standby);
  tile("centre").show(on ? "good" : "fair", on ? "ok" : "warn", countText(backlog),
                      on ? "tile.centre.on" : "tile.centre.off");
}

// ---- the stream ----

function showLink(state) {
  linkState = state;
  const link = document.querySelector("[data-link]");
  const text = { none: "page.connecting", live: "page.live", lost: "page.lost" }[state];
  link.dataset.link = state;
  setText(byId("link-word"), word(text));
}

function follow() {
  const source = new EventSource("/api/v1/live");
  const on = (name, act) => source.addEventListener(name, (e) => {
    const data = JSON.parse(e.data);
    heardAt = Date.now();
    if (linkState !== "live") showLink("live");
    showTime(data.time);
    act(data);
  });
  on("hello", (d) => {
    if (started !== null && d.started !== started) location.reload();
    started = d.started;
  });
  on("samples", (d) => take(d.samples));
  on("alerts", (d) => { showAlertsTile(d.alerts); announceAlerts(d.alerts); refresh("alerts"); });
  on("devices", (d) => { showDevicesTile(d.devices); announceDevices(d.devices); refresh("devices"); });
  on("delivery", showDelivery);
  on("overview", () => refresh("overview"));
  on("beat", () => {});
  source.onerror = () => {
    showLink("lost");
    if (source.readyState === EventSource.CLOSED) setTimeout(follow, 5000);
  };
}

async function loadSparks() {
  for (const [id, spark] of sparks) {
    try {
      const query = new URLSearchParams({ channel: id, hours: 24, points: 120 });
      const answer = await fetch(`/api/v1/history?${query}`);
      if (answer.ok) spark.load(await answer.json());
      sparks.get(id).points = spark.points;
      sparks.get(id).gap = spark.gap;
    } catch {
      return;
    }
  }
}

async function start() {
  const stored = localStorage.getItem("lang");
  const isAsked = new URLSearchParams(location.search).has("lang");
  await useLanguage(lang);
  findCards();
  const answer = await fetch("/api/v1/now");
  const now = await answer.json();
  const devices = new Map(now.devices.map((d) => [d.id, d]));
  for (const c of now.channels) {
    Object.defineProperty(c, "deviceName", {
      get: () => devices.get(c.device)?.names[lang] || c.device,
    });
    channels.set(c.id, c);
  }
  showTime(now.time ?? new Date().toISOString());
  showAges();
  showLink("none");
  if (!isAsked && (stored === "zh" || stored === "en")) await switchLanguage(stored);
  follow();
  setInterval(() => {
    showAges();
    if (linkState === "live" && Date.now() - heardAt > SILENCE_MS) showLink("lost");
  }, 1000);
  loadSparks();
}

start();
