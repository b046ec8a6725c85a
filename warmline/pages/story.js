// What happened: the state in one sentence, the timeline, the verdict.

import { h, part } from "./building.js";
import { counselorPhone } from "./phones.js";
import { state } from "./state.js";
import { clock, digits, known, t } from "./words.js";

const $ = (id) => document.getElementById(id);

export function status() {
  const { order } = state;
  if (!state.token) return t("status_verify");
  if (!order) return t("status_choose");
  if (!order.call) return t(`status_${order.state}`);
  if (order.call.state === "bridged" && [state.demo.caller, counselorPhone()?.number].some((number) => state.handsets.get(number)?.plugged_in === false)) return t("status_silent");
  if (order.call.state === "waiting") return t("status_waiting", clock(order.call.next_attempt_at, false));
  if (order.call.state === "queued") return t("status_queued", order.call.position ?? 1);
  return t(`status_${order.call.state}`);
}

const TONES = {
  connected: "good", rejoined: "good", "order.completed": "good", parted: "bad", attempt_failed: "bad", counselor_missed: "bad",
  "order.interrupted": "bad", ended: "strong", call_started: "strong",
};
export function paintTimeline() {
  document.querySelector(".story").hidden = state.lines.length === 0;
  part($("timeline"), state.lines.map((line) => line.seq), () => state.lines.toReversed().map((line) =>
    h("li", { "data-kind": line.kind, class: line.seq > (state.painted ?? 0) && "new" },
      h("time", { datetime: line.at }, clock(line.at)), h("span", { class: TONES[line.kind] }, sentence(line)))));
  state.painted = state.lines.at(-1)?.seq ?? 0;
}
function sentence(line) {
  const role = line.role ? t(`role_${line.role}`) : "";
  return (known(`fact_${line.kind}`) ?? line.kind)
    .replace("{role}", role).replace("{Role}", role.charAt(0).toUpperCase() + role.slice(1))
    .replace("{seconds}", line.data?.seconds);
}
export function paintVerdict() {
  const found = state.evidence;
  part($("verdict"), found && [found.id, found.verdict], () => found?.verdict ? h("div", { class: "verdict" },
    h("p", { class: "kind", "data-kind": found.verdict.kind }, t(`kind_${found.verdict.kind}`)),
    h("dl", {}, ...[
      ["v_by", t(`by_${found.verdict.by}`)], ["v_confidence", t(`confidence_${found.verdict.confidence}`)],
      ["v_reasons", found.verdict.reasons.map((one) => known(`reason_${one}`) ?? one).join(state.language === "en" ? "; " : "；")],
      ["v_talked", digits(found.talked_seconds)],
    ].flatMap(([name, value]) => [h("dt", {}, t(name)), h("dd", {}, value)])),
    h("p", { class: "fine" }, t(found.verdict.final ? "v_final" : "v_provisional"))) : h("p", { class: "fine" }, t("no_verdict")));
}
