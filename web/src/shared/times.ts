/** Moments and lengths of time as people read them; places and money never guess a zone. */
import { language } from "./language.ts";
import { now } from "./clock.ts";

const ZONE = "Asia/Shanghai";
const DAY_MILLISECONDS = 86_400_000;

function format(moment: string | number, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat(language.value, {
    timeZone: ZONE,
    hourCycle: "h23",
    ...options,
  }).format(new Date(moment));
}

/** 14:05 */
export const clockTime = (moment: string | number) =>
  format(moment, { hour: "2-digit", minute: "2-digit" });

/** 14:05:09 */
export const clockSeconds = (moment: string | number) =>
  format(moment, { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** 11月22日 / 22 Nov */
export const dayOf = (moment: string | number) =>
  format(moment, { month: "short", day: "numeric" });

const dateKey = (moment: number) =>
  format(moment, { year: "numeric", month: "numeric", day: "numeric" });

/** Today 14:05, tomorrow 14:05, or the day with it. */
export function nearTime(moment: string): string {
  const at = Date.parse(moment);
  const today = dateKey(now.peek());
  const isEnglish = language.value === "en";
  if (dateKey(at) === today) return isEnglish ? `today ${clockTime(at)}` : `今天 ${clockTime(at)}`;
  if (dateKey(at) === dateKey(now.peek() + DAY_MILLISECONDS))
    return isEnglish ? `tomorrow ${clockTime(at)}` : `明天 ${clockTime(at)}`;
  if (dateKey(at) === dateKey(now.peek() - DAY_MILLISECONDS))
    return isEnglish ? `yesterday ${clockTime(at)}` : `昨天 ${clockTime(at)}`;
  return `${dayOf(at)} ${clockTime(at)}`;
}

/** The day alone, with its year when that is not this one. */
export function dateOf(moment: string): string {
  const year = { year: "numeric" } as const;
  const isThisYear = format(moment, year) === format(now.peek(), year);
  return format(moment, { month: "short", day: "numeric", ...(isThisYear ? {} : year) });
}

/** 24:59, or 1:04:59 */
export function digits(seconds: number): string {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
  const two = (value: number) => String(value).padStart(2, "0");
  const rest = two(Math.floor(seconds % 60));
  return hours > 0 ? `${hours}:${two(minutes)}:${rest}` : `${two(minutes)}:${rest}`;
}

/** 18 分钟 / 18 minutes; under a minute in seconds. Minutes that are left are never rounded up. */
export function length(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  if (language.value === "en") {
    if (minutes < 1) return seconds === 1 ? "1 second" : `${Math.floor(seconds)} seconds`;
    return minutes === 1 ? "1 minute" : `${minutes} minutes`;
  }
  return minutes < 1 ? `${Math.floor(seconds)} 秒` : `${minutes} 分钟`;
}

/** A long stretch, roughly: 47 小时 / 47 h, and under an hour as `length` tells it. */
export function roundLength(seconds: number): string {
  const hours = Math.floor(seconds / 3600);
  if (hours < 1) return length(seconds);
  return language.value === "en" ? `${hours} h` : `${hours} 小时`;
}

/** 7 天 / 24 小时 / 90 分钟: how long something holds, in the largest unit that fits. */
export function span(seconds: number): string {
  const isEnglish = language.value === "en";
  const units = [
    [86_400, 2, "天", "days"],
    [3_600, 2, "小时", "hours"],
  ] as const;
  for (const [unit, least, zh, en] of units) {
    const count = seconds / unit;
    if (Number.isInteger(count) && count >= least) return `${count} ${isEnglish ? en : zh}`;
  }
  return length(seconds);
}

/** A masked number as people here know it: mainland numbers without their country. */
export const shortNumber = (masked: string): string => masked.replace(/^\+86(?=1)/, "");
