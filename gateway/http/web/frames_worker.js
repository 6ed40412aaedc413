// SPDX-License-Identifier: Apache-2.0
// frames_worker - a channel's history out of the log's own frames, decoded beside the page. What is in
// no frame yet, the newest minutes, comes from /api/v1/history.

import { Decoder, frames } from "/sf1.js";

const grades = ["good", "not_evaluated", "suspect", "bad", "missing"];
const layouts = new Map(); // number: ids of its channels
let kept = { channel: null }; // rows of the channel asked for last, from..end

async function ask(path, query) {
  const answer = await fetch(`/api/v1/${path}?${new URLSearchParams(query)}`);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer;
}

async function columnOf(layout, channel) {
  const id = layout.toString(16).padStart(8, "0");
  if (!layouts.has(id)) {
    const dictionary = await (await ask("layout", { id })).json();
    layouts.set(id, dictionary.channels.map((c) => c.id));
  }
  return layouts.get(id).indexOf(channel);
}

function numberOf(text) {
  if (text === "") return null;
  if (text[0] !== "x") return Number(text);
  const bits = new DataView(new ArrayBuffer(8));
  bits.setBigUint64(0, BigInt(`0x${text.slice(1)}`));
  const value = bits.getFloat64(0);
  return Number.isFinite(value) ? value : null;
}

// Rows from..to of what is sealed, in the order they were accepted.
async function sealedRows(channel, from, to) {
  const rows = [];
  for (let next = from; next !== null;) {
    const answer = await ask("frames", { channel, from: next, to });
    const following = answer.headers.get("Sluice-Next-From");
    const end = following === null ? to : Number(following);
    const decoder = new Decoder();
    for (const bytes of frames(new Uint8Array(await answer.arrayBuffer()))) {
      const frame = decoder.frame(bytes);
      const column = await columnOf(frame.header.layout, channel);
      if (column < 0) continue;
      frame.times.forEach((ms, i) => {
        if (ms < next || ms >= end) return;
        const cell = frame.rows[i][column];
        rows.push([ms, numberOf(cell.text), grades[Math.floor(cell.flag / 8) % 8] ?? "bad"]);
      });
    }
    next = following === null ? null : end;
  }
  return rows;
}

function keep(rows) {
  for (const r of rows) {
    kept.rows.push(r);
    kept.end = Math.max(kept.end, r[0] + 1);
  }
}

async function history({ channel, from, to }) {
  // a clock that was set back makes rows of a time that was read already
  const canGoOn = kept.channel === channel && kept.from <= from && kept.end > from && kept.end <= to;
  if (!canGoOn) {
    kept = { channel, from, end: from, rows: [] };
    keep(await sealedRows(channel, from, to));
  }
  const newest = await (await ask("history", { channel, from: kept.end, to })).json();
  if (newest.source !== channel || newest.is_cut) throw new Error(`${channel} has too many rows`);
  keep(newest.rows);
  kept.rows = kept.rows.filter((r) => r[0] >= from);
  kept.from = from;
  return { ...newest, from_ms: from, rows: kept.rows };
}

let turn = Promise.resolve(); // one after the other: they share what is kept
onmessage = ({ data }) => {
  turn = turn.then(() => history(data)).then(
    (found) => postMessage({ ticket: data.ticket, history: found }),
    (why) => { kept = { channel: null }; postMessage({ ticket: data.ticket, why: String(why) }); });
};
