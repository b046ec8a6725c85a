// What is true now, read from the service again and again; then it is painted.

import { ask, mine } from "./service.js";
import { LIVE, state } from "./state.js";
import { hear } from "./words.js";

let paint = () => {};
let socket = null;
let refreshing = null;
let again = false;

/** Reads everything the page shows; calls in between are joined to one more reading. */
export async function refresh() {
  again = true;
  refreshing ??= (async () => {
    try {
      while (again) {
        again = false;
        await Promise.all([readOrder(), readCatalogue(), readHandsets(), readMessages()]);
        paint();
      }
    } catch (away) {
      if (away.status === 401 || away.status === 404) forget();
      else if (!away.away) throw away;
    } finally {
      refreshing = null;
    }
  })();
  return refreshing;
}
async function readOrder() {
  if (!state.token) return;
  if (!state.order) {
    const { items } = await mine("GET", "/v1/orders");
    state.order = items.find((order) => LIVE.includes(order.state)) ?? null;
  } else {
    state.order = await mine("GET", `/v1/orders/${state.order.id}`);
  }
  if (!state.order) return;
  state.program = state.order.program;
  let after = state.lines.at(-1)?.seq ?? 0;
  for (let more = true; more; after = state.lines.at(-1)?.seq ?? 0) {
    const { items } = await mine("GET", `/v1/orders/${state.order.id}/events?limit=100&after=${after}`);
    items.forEach(note);
    more = items.length === 100;
  }
  await readVerdict();
}
async function readVerdict() {
  if (state.order.call) state.call = state.order.call.id;
  if (!state.call || state.order.call) return;
  if (state.evidence?.id === state.call && state.evidence.verdict?.final) return;
  try {
    state.staff ??= (await ask("POST", "/demo/looking-behind-the-desk")).token;
    state.evidence = await ask("GET", `/v1/calls/${state.call}`, undefined, state.staff);
  } catch (refused) {
    if (refused.status !== 401) throw refused;
    state.staff = null; // the sign-in ran out: sign in again at the next look
  }
}
async function readCatalogue() {
  state.programs = (await ask("GET", "/v1/programs")).items;
  state.program ??= state.programs.find((one) => one.matching === "named")?.id ?? state.programs[0]?.id;
  const { items } = await ask("GET", `/v1/programs/${state.program}/counselors?limit=50`);
  state.counselors = items;
  const free = items.find((one) => one.id === state.counselor && one.state === "available");
  if (!free && !state.order) state.counselor = items.find((one) => one.state === "available")?.id ?? null;
  if (!state.order) state.demo = await ask("GET", "/demo/start");
}
async function readHandsets() {
  const found = await ask("GET", "/sim/handsets");
  state.handsets = new Map(found.map((phone) => [phone.number, phone]));
}
async function readMessages() {
  const masked = state.demo.caller.replace(/.{4}(?=.{4}$)/, "****");
  state.messages = (await ask("GET", "/sim/messages")).filter((one) => one.kind === "sms" && one.to === masked);
}
function note(line) {
  if (line.at) hear(line.at);
  if (!state.lines.some((one) => one.seq === line.seq)) state.lines.push(line);
  state.lines.sort((one, other) => one.seq - other.seq);
}

/** Paints what is known already. */
export const show = () => paint();

/** Says who paints. */
export function paintWith(painter) {
  paint = painter;
}

/** The live feed says that something happened; what it was is read again from the service. */
export function listen() {
  if (socket || !state.token) return;
  socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/v1/live?cookie=none${state.seen ? `&after=${state.seen}` : ""}`);
  socket.onopen = () => socket.send(JSON.stringify({ type: "hello", token: state.token }));
  socket.onmessage = ({ data }) => {
    const told = JSON.parse(data);
    state.seen = told.seq;
    if (told.now) hear(told.now);
    if (told.type === "event" && told.order === state.order?.id) note(told);
    refresh();
  };
  socket.onclose = () => { socket = null; setTimeout(listen, 1000); };
}

export function forget() {
  localStorage.removeItem("device");
  socket?.close();
  Object.assign(state, { token: null, verification: null, order: null, lines: [] });
}
