// The two phones, worked by hand, and the quality of their lines.

import { act } from "./acting.js";
import { button, choice, glyph, h, part } from "./building.js";
import { codeOf } from "./messages.js";
import { ask, hand, script } from "./service.js";
import { state } from "./state.js";
import { clock, known, t } from "./words.js";

const FAULTS = {
  good: {}, lossy: { lose: 0.2 }, late: { delay_ms: 1500, duplicate: 0.5, reorder: 0.3 },
  refusing: { refuse: 0.2, unknown: 0.1 }, silent: { half_open: 1 },
};

export function counselorPhone() {
  const id = state.order?.counselor ?? (state.order ? null : state.counselor);
  const onCall = state.demo.counselors.find((one) => state.order?.call && state.handsets.get(one.number)?.call === state.order.call.id);
  return onCall ?? state.demo.counselors.find((one) => one.id === id);
}
export function paintPhone(section, number, name, sms) {
  const phone = state.handsets.get(number);
  const automatic = state.automatic.get(number) ?? state.demo.counselors.some((one) => one.number === number && one.answers_after_seconds != null);
  const code = codeOf(sms);
  part(section.querySelector(".body"), [phone, name, automatic, sms?.id, code, state.order?.call?.state], () => number && phone ? [
    screen(section.id, phone, name, sms), hands(section.id, phone),
    h("label", { class: "auto" }, h("input", { type: "checkbox", id: `${section.id}-auto`, checked: automatic, onchange: () => act(async () => {
      await script(number, automatic ? { answers: "by_hand" } : { answers: "yes", after_seconds: 2, presses: "1" });
      state.automatic.set(number, !automatic);
    }) }), t("auto")),
  ] : h("div", { class: "handset" }, h("div", { class: "screen" }, glyph("phone"), h("p", { class: "what" }, t("nobody")))));
}
function counted(heard) { // left_30, position_2, wait_10: a prompt with its number
  const [, what, number] = heard.match(/^(left|position|wait)_(\d+)$/) ?? [];
  return what && t(`prompt_${what}`, number);
}
function screen(id, phone, name, sms) {
  const dead = phone.state === "in_call" && !phone.plugged_in;
  const words = dead ? "half_open" : !phone.plugged_in ? "powered_off" : phone.state;
  const heard = phone.heard.at(-1);
  const joined = state.order?.call?.state === "bridged";
  const prompt = heard && (known(`prompt_${heard.replace(/^greeting_.*/, "greeting")}`) ?? counted(heard) ?? heard);
  return h("div", { class: `handset ${phone.plugged_in ? phone.state : "off"}`, id: `${id}-handset`, "data-state": words },
    h("div", { class: "screen" },
      h("p", { class: "who" }, name), h("p", { class: "number" }, phone.number), glyph(phone.plugged_in ? "phone" : "off"),
      h("p", { class: "what" }, t(words)),
      phone.state !== "idle" && h("p", { class: "number" }, t("shows", phone.shows ?? t("unknown_caller"))),
      sms && phone.state === "idle" ? h("p", { class: "sms" }, h("b", {}, t("sms_from", clock(sms.at, false))), sms.text)
        : phone.state === "in_call" && h("p", { class: "talk" }, phone.hears.length ? t("hears") : prompt && !joined ? t("just_heard", prompt) : t("hears_none"))));
}
function hands(id, phone) {
  const does = (what, kind = "", wide = false) => button(`${id}-${what}`, t(what), () =>
    act(() => hand(phone.number, { reject: "hangup", hang_up: "hangup", plug_out: "plug-out", press_1: "press" }[what] ?? what,
      what === "press_1" ? { digits: "1" } : undefined)), `${kind}${wide ? " wide" : ""}`);
  const plug = button(`${id}-plug_in`, t("plug_in"), () => act(() => script(phone.number, { answers: "by_hand" })), "wide");
  if (!phone.plugged_in) return h("div", { class: "hands" }, plug);
  if (phone.state === "ringing") return h("div", { class: "hands" }, does("answer", "answer"), does("reject", "end"));
  if (phone.state === "in_call") {
    const asked = phone.heard.at(-1) === "press_1" && state.order?.call && state.order.call.state !== "bridged";
    return h("div", { class: "hands" }, asked && does("press_1", "answer", true), does("hang_up", "end", true), does("drop"), does("plug_out"));
  }
  return null;
}

export function paintFaults() {
  part(document.getElementById("faults"), state.faults, () => [h("legend", {}, t("line_quality")), ...Object.keys(FAULTS).map((name) =>
    choice("quality", name, state.faults === name, () => act(async () => {
      await ask("PUT", "/sim/faults", FAULTS[name]);
      state.faults = name;
    }), h("span", {}, t(name))))]);
}
