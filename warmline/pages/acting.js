// Doing what a person asked for.

import { forget, refresh } from "./reading.js";
import { state } from "./state.js";

const trouble = document.getElementById("trouble");

/** Does something a person asked for: one thing at a time, and a refusal is told in words. */
export async function act(work) {
  if (state.busy) return;
  state.busy = true;
  tell(null);
  document.body.setAttribute("aria-busy", "true");
  try {
    await work();
  } catch (refused) {
    if (refused.status === 401 || refused.code === "device_not_verified") forget();
    tell(refused.message);
  } finally {
    state.busy = false;
    document.body.removeAttribute("aria-busy");
  }
  await refresh();
}
export function tell(words) {
  trouble.hidden = !words;
  trouble.textContent = words ?? "";
}
