// Words and times, in the language chosen and at the service's own place.

import { state } from "./state.js";

const ZONE = "Asia/Shanghai";
let texts = {};

export async function readTexts() {
  texts = await (await fetch("/pages/texts.json")).json();
  if (!(state.language in texts)) state.language = "zh-CN";
}

export const t = (key, ...values) =>
  (texts[state.language]?.[key] ?? key).replace(/\{(\d)\}/g, (_, place) => values[place]);
export const known = (key) => texts[state.language]?.[key];
export const both = (text) => (state.language === "en" ? text.en : text.zh);
export const now = () => Date.now() + state.ahead;
export const clock = (at, seconds = true) => new Intl.DateTimeFormat(state.language, {
  timeZone: ZONE, hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...(seconds && { second: "2-digit" }),
}).format(new Date(at));
export const day = (at) => new Intl.DateTimeFormat(state.language, {
  timeZone: ZONE, month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
}).format(new Date(at));
export const digits = (seconds) => {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
};
export const hear = (at) => { state.ahead = Math.max(state.ahead, Date.parse(at) - Date.now()); };
