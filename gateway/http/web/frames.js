// SPDX-License-Identifier: Apache-2.0
// frames - asks the worker that decodes frames for a channel's history.

// Decoding costs 20 to 50 us a point on a desk, several times that on a phone, for all channels of
// the stream; beyond, the station thins the rows itself and sends few.
const POINTS_MAX = 20000;
const PATIENCE_MS = 20000;

let worker = null;
let tickets = 0;
const waiting = new Map();

function start() {
  worker = new Worker("/assets/frames_worker.js", { type: "module" });
  worker.onmessage = ({ data }) => {
    waiting.get(data.ticket)?.(data.history ?? null);
    waiting.delete(data.ticket);
  };
  worker.onerror = () => {
    for (const done of waiting.values()) done(null);
    waiting.clear();
    worker = null;
  };
}

export function isSmall(channel, channels, hours) {
  let columns = 0;
  for (const c of channels.values())
    columns += channel.statistic ? c.statistic && c.period_ms === channel.period_ms
      : c.device === channel.device && !c.statistic;
  return hours * 3600000 / channel.period_ms * columns <= POINTS_MAX;
}

// As /api/v1/history answers, every row; null when it cannot be had this way.
export function history(channel, hours, now) {
  if (!window.Worker) return null;
  if (!worker) start();
  const ticket = ++tickets;
  return new Promise((resolve) => {
    const timer = setTimeout(() => { waiting.delete(ticket); resolve(null); }, PATIENCE_MS);
    waiting.set(ticket, (found) => { clearTimeout(timer); resolve(found); });
    worker.postMessage({ ticket, channel: channel.id, from: now - hours * 3600000, to: now + 1 });
  });
}
