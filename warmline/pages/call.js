// An order on its way: how far the call has come, what is left of the time, what may be done.

import { act } from "./acting.js";
import { button, h } from "./building.js";
import { mine } from "./service.js";
import { LIVE, state } from "./state.js";
import { day, digits, now, t } from "./words.js";

export function callStep() {
  const { order } = state;
  const path = `/v1/orders/${order.id}`;
  const stage = order.call?.state ?? order.state;
  const kind = stage === "bridged" ? "on" : stage === "parted" ? "off" : "";
  const place = ["ringing_first", "ringing_second", "bridged"].indexOf(stage === "parted" ? "bridged" : stage);
  const at = LIVE.includes(order.state) ? place : 3;
  const steps = ["track_first", "track_second", "track_talk", "track_end"];
  return [
    h("ol", { class: "track" }, ...steps.map((name, index) => h("li", {
      class: index < at ? "done" : index === at ? "now" : "", "aria-current": index === at && "step",
    }, t(name)))),
    h("div", { class: `left ${kind}` }, h("p", { class: "hint" }, t(LIVE.includes(order.state) ? "left" : "v_talked")),
      h("p", { class: "digits", id: "left" }, leftNow()), h("p", { class: "fine" }, deadline(order))),
    h("progress", { id: "bar", max: granted(), value: order.remaining_seconds ?? 0, "aria-label": t("left") }),
    ["open", "interrupted"].includes(order.state) && button("call", t(order.state === "open" ? "call" : "call_again"),
      () => act(() => mine("POST", `${path}/calls`, { phone: state.demo.caller })), "main big"),
    order.call?.state === "waiting" && button("call", t("call"), () => act(() => mine("POST", `${path}/calls`, { phone: state.demo.caller })), "main big"),
    order.call && button("hang-up", t("hang_up_app"), () => act(() => mine("DELETE", `${path}/calls/current`)), "end"),
    order.state === "open" && button("cancel", t("cancel_order"), () => act(() => mine("DELETE", path)), "quiet"),
    !LIVE.includes(order.state) && button("start-over", t("start_over"), () => act(async () => {
      Object.assign(state, { order: null, lines: [], counselor: null });
    }), "main big"),
  ];
}
const granted = () => state.programs.find((one) => one.id === state.order.program)?.talk_seconds ?? 1;
function deadline(order) {
  const until = order.state === "open" ? order.expires_at : order.resume_until;
  return until && LIVE.includes(order.state) && !order.call ? t("until", day(until)) : " ";
}
function leftNow() {
  const { order } = state;
  if (order.remaining_seconds == null) return t("uncapped");
  if (!LIVE.includes(order.state)) return digits(granted() - order.remaining_seconds);
  if (order.call?.ends_at) state.left = (Date.parse(order.call.ends_at) - now()) / 1000;
  const stands = order.call?.state === "parted" && state.left; // nobody's time runs while one is away
  return digits(order.call?.ends_at || stands ? state.left : order.remaining_seconds);
}

/** The seconds go on between two readings. */
export function tickCall() {
  if (!state.order) return;
  const [left, bar] = [document.getElementById("left"), document.getElementById("bar")];
  if (left) left.textContent = leftNow();
  if (bar && state.order.call?.ends_at) bar.value = (Date.parse(state.order.call.ends_at) - now()) / 1000;
}
