/**
 * The live feed: a WebSocket that is told what is true, and then what happens. It
 * resumes where it was cut, backs off without ever giving up, and knows when it has gone quiet.
 */
import { signal, type Signal } from "@preact/signals";
import type { Whose } from "./api/client.ts";
import { hearTime } from "./clock.ts";

export type Connection = "connecting" | "live" | "lost";

/** One line of the timeline, as this listener may see it. */
export interface LiveEvent {
  readonly type: "event";
  readonly seq: number;
  readonly order: string;
  readonly call: string | null;
  readonly at: string;
  readonly kind: string;
  readonly role: string | null;
  readonly data: Readonly<Record<string, string | number | boolean | null>>;
}
export interface LiveSnapshot {
  readonly type: "snapshot";
  readonly seq: number;
  readonly now: string;
  readonly resumed?: boolean;
  readonly [name: string]: unknown;
}

interface Listening {
  /** Whose cookie speaks for this page. */
  readonly cookie: Whose;
  readonly onSnapshot: (snapshot: LiveSnapshot) => void;
  readonly onEvent: (event: LiveEvent) => void;
  /** Anything else the feed tells: figures of the wallboard, for one. */
  readonly onOther?: (message: { readonly type: string }) => void;
  readonly onSignedOut: () => void;
}

const FIRST_WAIT_MILLISECONDS = 400;
const LONGEST_WAIT_MILLISECONDS = 15_000;
/** The service sends a beat every 15 s; whoever hears nothing for this long is cut off. */
const SILENCE_MILLISECONDS = 40_000;
const UNAUTHENTICATED = 4401;

export class Live {
  readonly connection: Signal<Connection> = signal("connecting");
  /** When the service was last heard, by this machine's clock. */
  readonly heardAt: Signal<number> = signal(0);
  private socket: WebSocket | null = null;
  private seq: number | null = null;
  private tries = 0;
  private waiting: ReturnType<typeof setTimeout> | undefined;
  private watching: ReturnType<typeof setInterval> | undefined;
  private beats = false;
  private stopped = true;
  private readonly listening: Listening;

  constructor(listening: Listening) {
    this.listening = listening;
  }

  start(): void {
    if (!this.stopped) return;
    this.stopped = false;
    this.watching = setInterval(() => this.notice(), 5_000);
    addEventListener("online", this.anew);
    addEventListener("offline", this.anew);
    addEventListener("pageshow", this.hurry);
    document.addEventListener("visibilitychange", this.hurry);
    this.open();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.waiting);
    clearInterval(this.watching);
    removeEventListener("online", this.anew);
    removeEventListener("offline", this.anew);
    removeEventListener("pageshow", this.hurry);
    document.removeEventListener("visibilitychange", this.hurry);
    this.socket?.close();
    this.socket = null;
    this.seq = null;
    this.connection.value = "connecting";
  }

  /** The network or the page came back: do not wait for the next try. */
  private readonly hurry = (): void => {
    if (this.stopped || document.hidden) return;
    if (this.socket === null) {
      this.tries = 0;
      this.open();
    } else {
      this.notice();
    }
  };

  /** Another network, or none: what was open before is not worth waiting for. */
  private readonly anew = (): void => {
    this.tries = 0;
    if (this.socket !== null) this.cut(this.socket);
    else this.hurry();
  };

  /** A line that says nothing for long is dead, whatever the browser thinks of it. */
  private notice(): void {
    const silent = Date.now() - this.heardAt.peek() > SILENCE_MILLISECONDS;
    if (this.beats && silent && this.socket?.readyState === WebSocket.OPEN) this.cut(this.socket);
  }

  private cut(socket: WebSocket): void {
    socket.close();
    this.lost(socket, 0);
  }

  private open(): void {
    clearTimeout(this.waiting);
    const resume = this.seq === null ? "" : `&after=${this.seq}`;
    const origin = location.origin.replace(/^http/, "ws");
    const socket = new WebSocket(`${origin}/v1/live?cookie=${this.listening.cookie}${resume}`);
    this.socket = socket;
    socket.onmessage = (message: MessageEvent<string>) => this.hear(socket, message.data);
    socket.onclose = (closed) => this.lost(socket, closed.code);
  }

  private hear(socket: WebSocket, data: string): void {
    if (socket !== this.socket) return;
    this.heardAt.value = Date.now();
    const message = JSON.parse(data) as LiveSnapshot | LiveEvent | { type: string; now?: string };
    if (message.type === "event") {
      const event = message as LiveEvent;
      this.seq = event.seq;
      this.listening.onEvent(event);
      return;
    }
    hearTime((message as { now?: string }).now);
    if (message.type === "snapshot") {
      const snapshot = message as LiveSnapshot;
      this.seq = snapshot.resumed ? this.seq : snapshot.seq;
      this.tries = 0;
      this.connection.value = "live";
      this.listening.onSnapshot(snapshot);
    } else {
      this.beats ||= message.type === "beat";
      this.listening.onOther?.(message);
    }
  }

  private lost(socket: WebSocket, code: number): void {
    if (socket !== this.socket) return;
    this.socket = null;
    if (this.stopped) return;
    this.connection.value = "lost";
    if (code === UNAUTHENTICATED) {
      this.listening.onSignedOut();
      return;
    }
    this.waiting = setTimeout(() => this.open(), pauseBefore(this.tries++));
  }
}

/** Twice as long after every failure, and never for all at once. */
export function pauseBefore(tries: number, drawn: number = Math.random()): number {
  const longest = Math.min(LONGEST_WAIT_MILLISECONDS, FIRST_WAIT_MILLISECONDS * 2 ** tries);
  return longest / 2 + (longest / 2) * drawn;
}
