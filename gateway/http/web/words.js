// SPDX-License-Identifier: Apache-2.0
// words - the page's language: dictionary, times in the station's zone, ages, numbers.

const zone = document.querySelector("meta[name=station-zone]").content;
const dictionaries = new Map();

export let lang = document.documentElement.lang.startsWith("zh") ? "zh" : "en";
let words = {};
let relative = null;

export async function useLanguage(next) {
  if (!dictionaries.has(next)) {
    const answer = await fetch(`/assets/${next}.json`);
    dictionaries.set(next, await answer.json());
  }
  lang = next;
  words = dictionaries.get(next);
  relative = new Intl.RelativeTimeFormat(next === "zh" ? "zh-CN" : "en",
                                         { numeric: "always", style: "narrow" });
}

export function word(key) {
  return words[key] ?? key;
}

function zoneMinutes() {
  const m = /^([+-])(\d\d):(\d\d)$/.exec(zone);
  return m ? (m[1] === "-" ? -1 : 1) * (60 * Number(m[2]) + Number(m[3])) : 0;
}

// A Date whose UTC fields read as the station's clock.
export function stationDate(ms) {
  return new Date(ms + zoneMinutes() * 60000);
}

export function clockText(ms) {
  return stationDate(ms).toISOString().slice(11, 19);
}

export function dateText(ms) {
  return stationDate(ms).toISOString().slice(0, 19).replace("T", " ");
}

export function ageText(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 90) return relative.format(-s, "second");
  if (s < 5400) return relative.format(-Math.round(s / 60), "minute");
  if (s < 129600) return relative.format(-Math.round(s / 3600), "hour");
  return relative.format(-Math.round(s / 86400), "day");
}

export function countText(n) {
  return String(n).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

// As the instrument wrote it, but never more digits than its quantity deserves.
export function valueText(sample, digits) {
  if (sample.value === null) return "–";
  const have = sample.decimals ?? digits;
  return plainZero(sample.value.toFixed(Math.min(have, digits)));
}

function plainZero(text) {
  return /^-0(\.0*)?$/.test(text) ? text.slice(1) : text;
}

export function exactText(sample) {
  if (sample.value === null) return "–";
  return sample.decimals === null ? String(sample.value) : sample.value.toFixed(sample.decimals);
}
