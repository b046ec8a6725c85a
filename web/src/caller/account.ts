/** Whose phone this is. The device's token stays in this browser and goes out in a header alone. */
import { effect, signal } from "@preact/signals";
import { makeApi } from "../shared/api/client.ts";
import { Live, type LiveEvent } from "../shared/live.ts";

interface Device {
  readonly token: string;
  readonly masked: string;
}

const KEPT = "warmline.device";

function kept(): Device | null {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? "null") as Device | null;
  } catch {
    return null;
  }
}

export const device = signal<Device | null>(kept());

export function remember(found: Device | null): void {
  try {
    if (found) localStorage.setItem(KEPT, JSON.stringify(found));
    else localStorage.removeItem(KEPT);
  } catch {
    // A browser that keeps nothing verifies again next time.
  }
  device.value = found;
}

/** Another tab verified, or forgot, this phone. */
addEventListener("storage", (change) => {
  if (change.key === KEPT || change.key === null) device.value = kept();
});

export const api = makeApi({
  token: () => device.peek()?.token ?? null,
  cookie: false,
  lost: () => remember(null),
});

type Heard = (event: LiveEvent | null) => void;
const hearers = new Set<Heard>();

/** Be told of every event of mine, and with null when everything may have changed. */
export function onNews(heard: Heard): () => void {
  hearers.add(heard);
  return () => void hearers.delete(heard);
}

export const live = new Live({
  token: () => device.peek()?.token ?? null,
  onSnapshot: () => hearers.forEach((heard) => heard(null)),
  onEvent: (event) => hearers.forEach((heard) => heard(event)),
  onSignedOut: () => remember(null),
});

effect(() => {
  if (device.value) live.start();
  else live.stop();
});

/** `138 0013 8001` as the service wants it; a number with `+` is taken as it is. */
export function toE164(typed: string): string {
  const digits = typed.replace(/[\s\-()（）]/g, "");
  if (digits.startsWith("+")) return digits;
  return digits.startsWith("86") && digits.length === 13 ? `+${digits}` : `+86${digits}`;
}
