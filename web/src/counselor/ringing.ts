/**
 * The ring: a function of the state, with one owner. It rings while a call waits for this
 * counselor, in one window only, and is silent in every other state, whatever happened before.
 */
import { computed, effect, signal, type Signal } from "@preact/signals";
import iconAlert from "../shared/icon-alert.svg?url";
import icon from "../shared/icon.svg?url";
import { now } from "../shared/clock.ts";
import { me, reading } from "./me.ts";
import { words } from "./words.ts";

export const TUNES = ["bells", "marimba", "phone"] as const;
export type Tune = (typeof TUNES)[number];

const KEPT = "warmline.ring";
interface Kept {
  readonly tune: Tune;
  readonly volume: number;
}

function kept(): Kept {
  try {
    const found = JSON.parse(localStorage.getItem(KEPT) ?? "null") as Partial<Kept> | null;
    const tune = TUNES.find((one) => one === found?.tune) ?? "bells";
    return { tune, volume: Math.min(1, Math.max(0.1, Number(found?.volume ?? 0.7))) };
  } catch {
    return { tune: "bells", volume: 0.7 };
  }
}

export const ringing = signal<Kept>(kept());

export function keepRing(changed: Partial<Kept>): void {
  ringing.value = { ...ringing.value, ...changed };
  try {
    localStorage.setItem(KEPT, JSON.stringify(ringing.value));
  } catch {
    // It is as loud as before at the next visit.
  }
}

// -- the sound -----------------------------------------------------------------------------------

let context: AudioContext | null = null;
/** Whether a ring would be heard; a browser allows sound only after a gesture. */
export const mayRing = signal(false);

/** Open the sound. Has to be called from a press of a button. */
export async function openSound(): Promise<void> {
  context ??= new AudioContext();
  context.onstatechange = () => (mayRing.value = context?.state === "running");
  await context.resume();
  mayRing.value = context.state === "running";
}

/**
 * After a reload any press anywhere opens the sound again. A press is over by then: what the sound
 * changes on the page must not move a button away from under it. Returns how to stop waiting.
 */
export function openSoundAtFirstPress(): () => void {
  const open = (): void => void openSound();
  addEventListener("click", open, { once: true });
  addEventListener("keydown", open, { once: true });
  return () => {
    removeEventListener("click", open);
    removeEventListener("keydown", open);
  };
}

const NOTES: Record<Tune, readonly (readonly [hertz: number, at: number, seconds: number])[]> = {
  bells: [
    [784, 0, 0.9],
    [1047, 0.28, 0.9],
    [1319, 0.56, 1.2],
  ],
  marimba: [
    [523, 0, 0.25],
    [659, 0.18, 0.25],
    [784, 0.36, 0.25],
    [1047, 0.54, 0.4],
    [784, 0.9, 0.4],
  ],
  phone: [
    [450, 0, 0.9],
    [480, 0, 0.9],
  ],
};

/** One turn of the chosen ring. */
export function playOnce(): void {
  if (!context || context.state !== "running") return;
  const { tune, volume } = ringing.peek();
  for (const [hertz, at, seconds] of NOTES[tune]) sound(context, hertz, at, seconds, volume);
}

function sound(on: AudioContext, hertz: number, at: number, seconds: number, volume: number) {
  const start = on.currentTime + at;
  const [tone, loudness] = [on.createOscillator(), on.createGain()];
  tone.type = "sine";
  tone.frequency.value = hertz;
  loudness.gain.setValueAtTime(0, start);
  loudness.gain.linearRampToValueAtTime(volume * 0.5, start + 0.02);
  loudness.gain.exponentialRampToValueAtTime(0.001, start + seconds);
  tone.connect(loudness).connect(on.destination);
  tone.start(start);
  tone.stop(start + seconds + 0.05);
}

// -- when it rings -------------------------------------------------------------------------------

const SILENT_WHEN_OLD_MILLISECONDS = 45_000;

/** The call that asks for attention: offered, and not accepted yet. */
export const rings = computed<string | null>(() => {
  const offer = me.value?.offer;
  if (!offer || offer.accepted) return null;
  const at = now.value; // it ends by itself
  if (offer.ring_until !== null && at > Date.parse(offer.ring_until)) return null;
  if (Date.now() - reading.asOf.value > SILENT_WHEN_OLD_MILLISECONDS) return null;
  return `${offer.call}/${offer.offered_at}`;
});

const AGAIN_MILLISECONDS = 2_600;

/** Ring, flash and notify as long as this window is open; several windows share one ring. */
export function ringWhileOpen(): () => void {
  const owned = signal(false);
  const hidden = signal(document.hidden);
  const look = (): void => void (hidden.value = document.hidden);
  document.addEventListener("visibilitychange", look);
  const stops = [
    effect(() => (mayRing.value ? holdTheBell(owned) : undefined)),
    effect(() => (rings.value !== null && owned.value ? ringOn() : undefined)),
    effect(() => (rings.value === null ? undefined : flash())),
    effect(() => (rings.value !== null && hidden.value ? notify() : undefined)),
    () => document.removeEventListener("visibilitychange", look),
  ];
  return () => stops.forEach((stop) => stop());
}

function ringOn(): () => void {
  playOnce();
  const repeating = setInterval(playOnce, AGAIN_MILLISECONDS);
  return () => clearInterval(repeating);
}

/** Of the windows that can be heard one rings; when it is closed or silenced, another takes over. */
function holdTheBell(owned: Signal<boolean>): () => void {
  const leaving = new AbortController();
  const left = new Promise<void>((done) => leaving.signal.addEventListener("abort", () => done()));
  const hold = (): Promise<void> => {
    if (!leaving.signal.aborted) owned.value = true;
    return left;
  };
  // Without locks every window rings: better than none.
  if (!navigator.locks) void hold();
  else
    void navigator.locks
      .request("warmline.ring", { signal: leaving.signal }, hold)
      .catch(() => undefined); // left before it was this window's turn
  return () => {
    owned.value = false;
    leaving.abort();
  };
}

const FLASH_MILLISECONDS = 900;

function flash(): () => void {
  const before = document.title;
  let shown = false;
  const turn = (): void => {
    shown = !shown;
    document.title = shown ? `● ${words.peek().newCall}` : before;
  };
  turn();
  const turning = setInterval(turn, FLASH_MILLISECONDS);
  setIcon(iconAlert);
  return () => {
    clearInterval(turning);
    document.title = before;
    setIcon(icon);
  };
}

function setIcon(address: string): void {
  const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
  if (link) link.href = address;
}

export const mayNotify = signal(
  typeof Notification === "undefined" ? "denied" : Notification.permission,
);

export async function askToNotify(): Promise<void> {
  if (typeof Notification !== "undefined") mayNotify.value = await Notification.requestPermission();
}

/** Of several windows the browser shows one. It tells nothing about the caller: others may see it. */
function notify(): () => void {
  if (mayNotify.peek() !== "granted") return () => undefined;
  const say = words.peek();
  const notice = new Notification(say.offerTitle, { body: say.notified, tag: "warmline-offer" });
  notice.onclick = () => window.focus();
  return () => notice.close();
}
