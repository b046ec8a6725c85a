// Text messages that would have been sent, and the code in the last one.

import { h, part } from "./building.js";
import { state } from "./state.js";
import { day, now, t } from "./words.js";

export function paintMessages() {
  part(document.getElementById("messages"), state.messages, () => state.messages.length
    ? state.messages.slice(0, 5).map((one) => h("li", {}, one.text, h("small", {}, h("time", { datetime: one.at }, day(one.at)))))
    : h("li", { class: "fine" }, t("no_messages")));
}
export const latestSms = () => state.messages.find((one) => Date.parse(one.at) > now() - 600_000);
export function codeOf(sms) {
  if (!state.verification || !sms || sms.id === state.verification.before) return "";
  return sms.template === "verification_code" ? /\d{6}/.exec(sms.text)?.[0] ?? "" : "";
}
