/** What is happening now, in words: one place decides what a caller is told. */
import type { ClaimView, OrderView, ProgramView } from "../shared/api/schema.ts";
import { now } from "../shared/clock.ts";
import type { Tone } from "../shared/components/showing.tsx";
import { clockTime, length, nearTime } from "../shared/times.ts";
import { isAhead } from "./appointment.ts";
import { words } from "./words.ts";

const LIVE: ReadonlySet<string> = new Set(["open", "in_call", "interrupted"]);

/** Whether something can still happen with the order. */
export const isLive = (order: OrderView): boolean => LIVE.has(order.state);

/** Closed until the service said it opens, by its own clock. */
export function isClosed(program: ProgramView | null): boolean {
  if (!program || program.is_open) return false;
  return program.opens_at === null || now.value < Date.parse(program.opens_at);
}

/** The state in a word; an appointment that is ahead has one of its own. */
export const stateOf = (order: OrderView): string =>
  isAhead(order) ? words.value.appointed : words.value.order[order.state];

/** The time that matters about the order. */
export function whenOf(order: OrderView): string {
  const say = words.value;
  if (order.state === "open" && order.starts_at) return nearTime(order.starts_at);
  const opened = nearTime(order.starts_at ?? order.opened_at);
  const until = order.state === "interrupted" ? order.resume_until : null;
  return until ? `${opened} · ${say.resumeUntil} ${nearTime(until)}` : opened;
}

export function orderTone(order: OrderView): Tone {
  if (order.state === "in_call") return "good";
  if (order.state === "interrupted") return "warm";
  return order.state === "open" ? "blue" : "calm";
}

/** Whose phone is being rung; null while none is. */
export function whoRings(
  order: OrderView,
  program: ProgramView | null,
): "caller" | "counselor" | null {
  const call = order.call;
  if (!call) return null;
  if (call.state !== "ringing_first" && call.state !== "ringing_second") return null;
  const first = program?.ring_first === "counselor" ? "counselor" : "caller";
  const second = first === "caller" ? "counselor" : "caller";
  return call.state === "ringing_first" ? first : second;
}

export interface Now {
  readonly stage:
    | "appointed"
    | "ready"
    | "ringing_you"
    | "ringing_them"
    | "connected"
    | "parted"
    | "waiting"
    | "queued"
    | "ending"
    | "interrupted"
    | "over"
    | "unused";
  readonly title: string;
  readonly text: string;
}

/** The state of an order and its call as one sentence with an explanation. */
export function nowInWords(order: OrderView, program: ProgramView | null, phone: string): Now {
  const say = words.value;
  const call = order.call;
  const isPool = program?.matching === "pool";
  if (!call) return atRest(order, program, phone);
  switch (call.state) {
    case "queued": {
      const wait = call.expected_wait_seconds;
      const text = call.position === null ? "" : say.queuedText(call.position);
      const about = wait === null || wait < 60 ? "" : ` ${say.queuedWait(length(wait))}`;
      return { stage: "queued", title: say.queued, text: text + about };
    }
    case "waiting": {
      const text = call.next_attempt_at
        ? say.waitingText(clockTime(call.next_attempt_at), call.attempt)
        : "";
      return { stage: "waiting", title: say.waiting, text };
    }
    case "bridged":
      return { stage: "connected", title: say.connected, text: say.connectedText };
    case "parted":
      return { stage: "parted", title: say.parted, text: say.partedText };
    case "ended":
      return { stage: "ending", title: say.ended, text: say.endedText };
    case "ringing_first":
    case "ringing_second": {
      const rings = whoRings(order, program);
      if (rings === "caller")
        return { stage: "ringing_you", title: say.ringingYou, text: say.ringingYouText };
      const text =
        isPool && call.state === "ringing_first" ? say.ringingDoctorText : say.ringingThemText;
      return { stage: "ringing_them", title: say.ringingThem, text };
    }
  }
}

function atRest(order: OrderView, program: ProgramView | null, phone: string): Now {
  const say = words.value;
  switch (order.state) {
    case "open":
      return isAhead(order) ? appointed(order) : ready(program, phone);
    case "in_call":
      return { stage: "ending", title: say.ended, text: say.endedText };
    case "interrupted":
      return {
        stage: "interrupted",
        title: say.interrupted,
        text: say.interruptedText(
          length(order.remaining_seconds ?? 0),
          order.resume_until ? nearTime(order.resume_until) : "",
        ),
      };
    case "completed":
      return { stage: "over", title: say.completed, text: say.completedText };
    case "cancelled":
      return { stage: "unused", title: say.cancelled, text: unusedText(order, say.cancelledText) };
    case "expired":
      return { stage: "unused", title: say.expired, text: unusedText(order, say.expiredText) };
    case "closed":
      return { stage: "over", title: say.closed, text: say.closedText };
  }
}

function ready(program: ProgramView | null, phone: string): Now {
  const say = words.value;
  const isPool = program?.matching === "pool";
  const how = isPool ? say.readyTextOther(phone) : say.readyText(phone);
  const opens = program?.opens_at ? say.closedUntil(nearTime(program.opens_at)) : say.shut;
  return { stage: "ready", title: say.ready, text: isClosed(program) ? opens : how };
}

function appointed(order: OrderView): Now {
  const say = words.value;
  const text = say.appointedText(nearTime(order.starts_at ?? ""));
  return { stage: "appointed", title: say.appointed, text };
}

/** Why nobody talked, and whether it counts all the same. */
function unusedText(order: OrderView, otherwise: string): string {
  const say = words.value;
  if (order.counted_as_used !== null) return say.counted[order.counted_as_used];
  return order.closed_reason === "no_contact" ? say.noContactText : otherwise;
}

/** Whether something may be said about the order's last call now. */
export function mayClaim(order: OrderView, now: number): boolean {
  const last = order.last_call;
  if (!last?.claim_until || now >= Date.parse(last.claim_until)) return false;
  const { claim } = order;
  const isAboutIt = claim !== null && claim.call === last.id;
  return !isAboutIt || (claim.filed_at === null && claim.decision === null);
}

/** How far a claim has come, in a line. */
export function claimInWords(claim: ClaimView): string {
  const say = words.value;
  const last = claim.appeal_decision ?? claim.decision;
  if (claim.state === "appealed" || !last) return say.claimDue(nearTime(claim.due_at));
  return say.remedy[last.decision];
}
