/** The counselor's own state, and only ever as the service tells it. */
import { computed, signal } from "@preact/signals";
import type { Me, Operations, OwnCallView, Presence, ProgramView } from "../shared/api/schema.ts";
import { inBoth } from "../shared/language.ts";
import { Reading } from "../shared/reading.ts";
import { topicInWords } from "../shared/topics.ts";
import { api, live, onNews, onOther } from "../staff/account.ts";
import { words } from "./words.ts";

export const me = signal<Me | null>(null);
export const programs = signal<readonly ProgramView[]>([]);

/** What is being asked for, until the service has answered: nothing has changed before. */
export const asking = signal<Presence | null>(null);

/** What was last asked for: if the service says otherwise, somebody has to be told. */
const wanted = signal<Presence | null>(null);

export const reading = new Reading(async () => {
  const found = await api("GET /v1/me");
  if (programs.peek().length === 0) programs.value = (await api("GET /v1/programs")).items;
  me.value = found;
}, live);

/** Taken offline by the service, for want of a sign of life. */
export const lapsed = computed(
  () => wanted.value === "available" && me.value?.activity === "offline",
);

/** The call that somebody is on or has accepted. While their own phone does not ring yet, or only
 * rings, they are on none: what they are writing stays before them. */
export function talkOf({ offer, call }: Me): OwnCallView | null {
  if (offer) return offer.accepted ? call : null;
  const isTheirs = call?.bridged_at || call?.legs.some((leg) => leg.role === "counselor");
  return isTheirs ? call : null;
}

/** Another window of this browser did something: what it did shows here at once. */
interface Told {
  readonly wanted?: Presence;
}
const windows = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("warmline");
windows?.addEventListener("message", (message: MessageEvent<Told>) => {
  if (message.data.wanted) wanted.value = message.data.wanted;
  void reading.now();
});
const tellWindows = (told: Told): void => windows?.postMessage(told);

/** Follow while a page of theirs is open. */
export function follow(): () => void {
  reading.start();
  const events = onNews(() => void reading.now());
  const changes = onOther((message) => {
    if (message.type === "me") void reading.now();
  });
  return () => {
    events();
    changes();
    reading.stop();
    me.value = null;
    wanted.value = null;
  };
}

export async function want(presence: Presence): Promise<void> {
  asking.value = presence;
  try {
    const found = await api("PUT /v1/me/presence", { body: { state: presence } });
    wanted.value = presence;
    me.value = found;
    tellWindows({ wanted: presence });
  } finally {
    asking.value = null;
  }
}

type CallAct =
  "accept" | "decline" | "hang-up" | "crisis" | "extend" | "transfer/confirm" | "transfer/cancel";

/** Something done to the call; what became of it is read from the service. */
export async function act(what: CallAct, call: string, intent: string): Promise<void> {
  const name = `POST /v1/calls/{call}/${what}` as keyof Operations;
  try {
    await api(name as "POST /v1/calls/{call}/accept", { path: { call }, intent });
  } finally {
    tellWindows({});
    await reading.now();
  }
}

export const programOf = (id: string | undefined): ProgramView | null =>
  programs.value.find((one) => one.id === id) ?? null;

export function programName(id: string | undefined): string {
  const program = programOf(id);
  return program ? inBoth(program.name) : (id ?? "");
}

/** What a talk of the program may lead to, with its words. */
export function dispositionsOf(program: ProgramView | null): { id: string; name: string }[] {
  return (program?.dispositions ?? []).map((id) => ({
    id,
    name: words.value.dispositions[id] ?? id,
  }));
}

export function topicsOf(program: ProgramView | null): { id: string; name: string }[] {
  return (program?.topics ?? []).map((id) => ({ id, name: topicInWords(id) }));
}
