// SPDX-License-Identifier: Apache-2.0
// state - what a sample is: the key of its word and the shape of its icon (as gateway/http/view.c).

const byStatus = {
  calibration: "work", maintenance: "work", fault: "bad", over_range: "warn",
  no_communication: "none", stopped: "none", manual: "work",
};
const byGrade = { good: "ok", not_evaluated: "open", suspect: "warn", bad: "bad", missing: "none" };

export function stateOf(sample) {
  if (!sample || !sample.time) return { key: "waiting", icon: "none" };
  if (sample.status !== "valid") return { key: sample.status, icon: byStatus[sample.status] ?? "none" };
  return { key: sample.grade, icon: byGrade[sample.grade] ?? "none" };
}

export function setIcon(element, icon) {
  element.querySelector("use").setAttribute("href", `#i-${icon}`);
}

const implied = new Set(["communication", "calibration", "maintenance", "above_range"]);

// What the status does not already say.
export function reasonsText(sample, lang) {
  return sample.reasons.filter((r) => !implied.has(r.id)).map((r) => r[lang] || r.id).join(", ");
}
