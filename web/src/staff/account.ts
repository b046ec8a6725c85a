/** Who is signed in at this console. The cookie is the browser's; no script can read it. */
import { signal } from "@preact/signals";
import { makeApi, Refusal } from "../shared/api/client.ts";
import type { SignedInAs, StaffRole } from "../shared/api/schema.ts";
import { Live, type LiveEvent, type LiveSnapshot } from "../shared/live.ts";

/** undefined: not known yet; null: nobody. */
export const who = signal<SignedInAs | null | undefined>(undefined);

export const api = makeApi({ cookie: "staff", lost: () => (who.value = null) });

export const has = (...roles: StaffRole[]): boolean =>
  roles.some((role) => who.value?.roles.includes(role));

/** Ask the service who the cookie belongs to. */
export async function askWho(): Promise<void> {
  try {
    who.value = await api("GET /v1/sessions/current");
  } catch (refused) {
    if (!(refused instanceof Refusal)) throw refused;
    if (refused.code === "unauthenticated") who.value = null;
    else throw refused;
  }
}

type Heard = (event: LiveEvent | null, snapshot: LiveSnapshot | null) => void;
const hearers = new Set<Heard>();
const others = new Set<(message: { readonly type: string }) => void>();

/** Be told of every event that is mine to see, and of every snapshot. */
export function onNews(heard: Heard): () => void {
  hearers.add(heard);
  return () => void hearers.delete(heard);
}

/** Be told of whatever else the feed says. */
export function onOther(heard: (message: { readonly type: string }) => void): () => void {
  others.add(heard);
  return () => void others.delete(heard);
}

export const live = new Live({
  cookie: "staff",
  onSnapshot: (snapshot) => hearers.forEach((heard) => heard(null, snapshot)),
  onEvent: (event) => hearers.forEach((heard) => heard(event, null)),
  onOther: (message) => others.forEach((heard) => heard(message)),
  onSignedOut: () => (who.value = null),
});

who.subscribe((found) => {
  if (found && found.second_factor !== "due")
    live.start(); // nothing is theirs to hear before it
  else live.stop();
});

export async function signOut(): Promise<void> {
  await api("DELETE /v1/sessions/current");
  who.value = null;
}
