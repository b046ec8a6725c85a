/**
 * Reading what is true, again and again: at once when something happened, every few seconds while
 * the live feed is away, now and then in any case. Calls in between join one more reading.
 */
import { computed, signal, type ReadonlySignal } from "@preact/signals";
import { Refusal } from "./api/client.ts";
import type { Live } from "./live.ts";
import { now } from "./clock.ts";

const POLL_MILLISECONDS = 3_000;
const REST_MILLISECONDS = 15_000;
const STALE_MILLISECONDS = 25_000;

export class Reading {
  /** When the last reading succeeded, by this machine's clock; 0 before the first. */
  readonly asOf = signal(0);
  readonly fault = signal<Refusal | null>(null);
  private running: Promise<void> | null = null;
  private again = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private stopped = true;
  private readonly read: () => Promise<void>;
  private readonly live: Live | null;

  constructor(read: () => Promise<void>, live: Live | null = null) {
    this.read = read;
    this.live = live;
  }

  start(): void {
    if (!this.stopped) return;
    this.stopped = false;
    addEventListener("online", this.wake);
    addEventListener("pageshow", this.wake);
    document.addEventListener("visibilitychange", this.wake);
    void this.now();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    removeEventListener("online", this.wake);
    removeEventListener("pageshow", this.wake);
    document.removeEventListener("visibilitychange", this.wake);
  }

  private readonly wake = (): void => {
    if (!document.hidden) void this.now();
  };

  /** Read, and once more if anybody asks meanwhile. Resolves when the newest is known. */
  now(): Promise<void> {
    this.again = true;
    this.running ??= this.untilQuiet().finally(() => {
      this.running = null;
      this.plan();
    });
    return this.running;
  }

  private async untilQuiet(): Promise<void> {
    while (this.again) {
      this.again = false;
      try {
        await this.read();
        this.asOf.value = Date.now();
        this.fault.value = null;
      } catch (fault) {
        if (!(fault instanceof Refusal)) throw fault;
        this.fault.value = fault;
      }
    }
  }

  private plan(): void {
    clearTimeout(this.timer);
    if (this.stopped) return;
    const isLive = this.live?.connection.peek() === "live" && this.fault.peek() === null;
    const pause = isLive ? REST_MILLISECONDS : POLL_MILLISECONDS;
    this.timer = setTimeout(
      () => (document.hidden && !isLive ? this.plan() : void this.now()),
      pause,
    );
  }
}

/** Whether what is on screen may be out of date: neither the feed nor a reading told it lately. */
export function staleness(reading: Reading): ReadonlySignal<boolean> {
  return computed(() => {
    void now.value; // it ages by itself
    if (reading.asOf.value === 0) return false;
    return reading.fault.value !== null || Date.now() - reading.asOf.value > STALE_MILLISECONDS;
  });
}
