// The step a person is at: prove the number, choose, then call.

import { act } from "./acting.js";
import { button, choice, h, part } from "./building.js";
import { callStep } from "./call.js";
import { codeOf, latestSms } from "./messages.js";
import { listen, refresh, show } from "./reading.js";
import { ask, mine, pass } from "./service.js";
import { state } from "./state.js";
import { both, day, now, t } from "./words.js";

const place = document.getElementById("step");

export function paintStep() {
  const { order, verification } = state;
  if (!state.token) return part(place, ["verify", verification, latestSms()?.id], verifyStep);
  if (!order) return part(place, ["choose", state.program, state.counselor, state.counselors, state.programs, state.demo.vouchers], chooseStep);
  return part(place, ["call", order.id, order.state, order.call, order.remaining_seconds], callStep);
}
function verifyStep() {
  const send = button("send-code", t("send_code"), () => act(async () => {
    const before = latestSms()?.id;
    state.verification = { ...(await ask("POST", "/v1/device-verifications", { phone: state.demo.caller })), before };
  }), state.verification ? "" : "main big");
  const intro = [h("p", { class: "lead" }, t("verify_lead")), h("p", { class: "hint" }, t("verify_text"))];
  if (!state.verification) return [...intro, send];
  const code = h("input", { type: "text", id: "code", inputmode: "numeric", autocomplete: "one-time-code", maxlength: 6, value: codeOf(latestSms()) });
  const confirm = (event) => {
    event.preventDefault();
    return act(async () => {
      const { device_token } = await ask("POST", `/v1/device-verifications/${state.verification.id}/confirm`, { code: code.value.trim() });
      localStorage.setItem("device", device_token);
      Object.assign(state, { token: device_token, verification: null });
      listen();
    });
  };
  return [...intro, h("p", {}, t("code_sent")), h("form", { class: "row", onsubmit: confirm },
    h("label", { class: "field" }, h("span", {}, t("code")), code),
    h("button", { type: "submit", id: "confirm", class: "main" }, t("confirm"))), send];
}

function chooseStep() {
  const program = state.programs.find((one) => one.id === state.program);
  const codes = state.demo.vouchers[program.id] ?? [];
  if (!codes.includes(state.voucher)) state.voucher = codes[0];
  const named = program.matching === "named";
  return [
    h("p", { class: "lead" }, t("choose_lead")),
    h("fieldset", {}, h("legend", {}, t("service")), h("div", { class: "tabs" }, ...state.programs.map((one) =>
      choice("program", one.id, one.id === program.id, () => { state.program = one.id; refresh(); },
        h("span", {}, both(one.name), h("small", {}, one.talk_seconds ? t("minutes", one.talk_seconds / 60) : t("uncapped"))))))),
    named ? h("fieldset", {}, h("legend", {}, t("counselor")), h("div", { class: "choices" }, ...state.counselors.map(counselorChoice)))
      : h("p", { class: "hint" }, t("pool_text")),
    program.needs_voucher && h("label", { class: "field" }, h("span", {}, t("voucher")),
      h("select", { id: "voucher", onchange: (event) => { state.voucher = event.target.value; } },
        ...codes.map((code) => h("option", { value: code, selected: code === state.voucher }, code)))),
    program.is_open ? button("open-order", t(program.needs_voucher ? "redeem" : "open_order"), () => act(openOrder), "main big", { disabled: named && !state.counselor })
      : h("div", { class: "row" }, h("p", {}, t("closed", day(program.opens_at))),
        button("skip", t("skip_to_open"), () => act(() => pass((Date.parse(program.opens_at) - now()) / 1000 + 1)), "main")),
    h("p", { class: "fine" }, both(program.disclaimer), " ", both(program.charge_notice)),
  ];
}
function counselorChoice(one) {
  const phone = state.demo.counselors.find((known) => known.id === one.id);
  const how = phone?.answers_after_seconds == null ? t("by_hand") : t("answers_after", phone.answers_after_seconds);
  return choice("counselor", one.id, one.id === state.counselor, () => { state.counselor = one.id; show(); },
    h("span", {}, one.name, h("small", {}, one.credential), h("small", {}, how)),
    h("em", { class: one.state }, t(`state_${one.state}`)), one.state !== "available");
}
async function openOrder() {
  const program = state.programs.find((one) => one.id === state.program);
  state.lines = [];
  Object.assign(state, { call: null, evidence: null, left: null });
  state.order = await mine("POST", "/v1/orders", {
    program: program.id,
    ...(program.matching === "named" && { counselor: state.counselor }),
    ...(program.needs_voucher && { voucher: state.voucher }),
  });
}
