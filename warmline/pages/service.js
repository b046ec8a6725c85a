// Asking the service: its own API, the simulated phones, the demo's clock.

import { state } from "./state.js";
import { hear, known, t } from "./words.js";

export async function ask(method, path, body, token) {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers: { ...(body && { "Content-Type": "application/json" }), ...(token && { Authorization: `Bearer ${token}` }) },
      body: body && JSON.stringify(body),
    });
  } catch {
    throw Object.assign(new Error(t("offline")), { away: true });
  }
  const found = answer.status === 204 ? null : await answer.json().catch(() => null);
  if (answer.ok) return found;
  const words = known(`refusal_${found?.code}`) ?? found?.detail ?? found?.title ?? String(answer.status);
  throw Object.assign(new Error(words), { code: found?.code, status: answer.status });
}
export const mine = (method, path, body) => ask(method, path, body, state.token);
export const hand = (number, act, body) => ask("POST", `/sim/handsets/${encodeURIComponent(number)}/${act}`, body);
export const script = (number, body) => ask("PUT", `/sim/handsets/${encodeURIComponent(number)}`, body);

/** Lets time pass for everybody in the demo. */
export async function pass(seconds) {
  hear((await ask("POST", "/sim/clock", { advance_seconds: seconds })).now);
}
