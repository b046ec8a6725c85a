/**
 * Whose phone this is. The device's token is in a cookie that no script can read; this browser keeps
 * the masked number beside it, so that the page knows at once what to show.
 */
import { effect, signal } from "@preact/signals";
import { makeApi, Refusal } from "../shared/api/client.ts";
import { Live, type LiveEvent } from "../shared/live.ts";

interface Device {
  readonly masked: string;
}

const KEPT = "warmline.phone";

function kept(): Device | undefined {
  try {
    const masked = localStorage.getItem(KEPT);
    return masked ? { masked } : undefined;
  } catch {
    return undefined;
  }
}

/** undefined: not known yet; null: none. */
export const device = signal<Device | null | undefined>(kept());

export function remember(found: Device | null): void {
  try {
    if (found) localStorage.setItem(KEPT, found.masked);
    else localStorage.removeItem(KEPT);
  } catch {
    // A browser that keeps nothing asks the service each time.
  }
  device.value = found;
}

/** Another tab verified, or forgot, this phone. */
addEventListener("storage", (change) => {
  if (change.key === KEPT || change.key === null) device.value = kept() ?? null;
});

export const api = makeApi({ cookie: "device", lost: () => remember(null) });

/** Ask the service which phone the cookie belongs to. */
export async function askWhich(): Promise<void> {
  try {
    remember({ masked: (await api("GET /v1/devices/current")).phone });
  } catch (refused) {
    if (!(refused instanceof Refusal) || refused.code !== "unauthenticated") throw refused;
  }
}

type Heard = (event: LiveEvent | null) => void;
const hearers = new Set<Heard>();

/** Be told of every event of mine, and with null when everything may have changed. */
export function onNews(heard: Heard): () => void {
  hearers.add(heard);
  return () => void hearers.delete(heard);
}

export const live = new Live({
  cookie: "device",
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
