/**
 * The service's clock. A page never counts down from a length of time: it shows the distance to a
 * moment the service named, by the service's own clock.
 */
import { computed, signal } from "@preact/signals";

const TICK_MILLISECONDS = 250;

/** By how many milliseconds the service's clock is ahead of this machine's. */
const ahead = signal(0);
let bestTrip = Number.POSITIVE_INFINITY;
let heardAt = Number.NEGATIVE_INFINITY;
const FORGET_AFTER_MILLISECONDS = 60_000;
const JUMP_MILLISECONDS = 1_500;

/**
 * Take in the service's time. `tripMilliseconds` is how long the answer took: half of it is added,
 * and a slow answer does not spoil what a quick one told, unless the clock was moved.
 */
export function hearTime(now: string | null | undefined, tripMilliseconds = 0): void {
  const told = now ? Date.parse(now) : Number.NaN;
  if (Number.isNaN(told)) return;
  const found = told + tripMilliseconds / 2 - Date.now();
  const isOld = performance.now() - heardAt > FORGET_AFTER_MILLISECONDS;
  const jumped = Math.abs(found - ahead.peek()) > JUMP_MILLISECONDS + tripMilliseconds;
  if (tripMilliseconds <= bestTrip || isOld || jumped) {
    ahead.value = found;
    bestTrip = tripMilliseconds;
    heardAt = performance.now();
  }
}

/** The service's time in milliseconds since 1970. */
export function serverNow(): number {
  return Date.now() + ahead.peek();
}

const ticks = signal(Date.now(), {
  watched() {
    this.value = Date.now();
    beating = setInterval(() => (this.value = Date.now()), TICK_MILLISECONDS);
  },
  unwatched() {
    clearInterval(beating);
  },
});
let beating: ReturnType<typeof setInterval> | undefined;

/** The service's time, moving; only while something on screen reads it. */
export const now = computed(() => ticks.value + ahead.value);

/**
 * Whole seconds until a moment, never below zero; the last second is shown as 1. Where the stretch
 * has `whole` seconds, the milliseconds by which our idea of the service's clock is off, rounded up,
 * do not make it a second longer; a moment that was moved is further away than that.
 */
export function secondsUntil(
  moment: string | null | undefined,
  at: number = now.value,
  whole: number | null = null,
): number {
  const left = moment ? Math.max(0, Math.ceil((Date.parse(moment) - at) / 1000)) : 0;
  return whole !== null && left === whole + 1 ? whole : left;
}

/** Whole seconds since a moment, never below zero. */
export function secondsSince(moment: string | null | undefined, at: number = now.value): number {
  return moment ? Math.max(0, Math.floor((at - Date.parse(moment)) / 1000)) : 0;
}
