/** What is happening now, in words: one place decides what a caller is told. */
import type { WantedOrder, WantedProgram } from "../shared/api/wanted.ts";
import type { Tone } from "../shared/components/showing.tsx";
import { clockTime, length, nearTime } from "../shared/times.ts";
import { words } from "./words.ts";

const LIVE: ReadonlySet<string> = new Set(["open", "in_call", "interrupted"]);

/** Whether something can still happen with the order. */
export const isLive = (order: WantedOrder): boolean => LIVE.has(order.state);

export function orderTone(order: WantedOrder): Tone {
  if (order.state === "in_call") return "good";
  if (order.state === "interrupted") return "warm";
  return order.state === "open" ? "blue" : "calm";
}

/** Whose phone is being rung; null while none is. */
export function whoRings(
  order: WantedOrder,
  program: WantedProgram | null,
): "caller" | "counselor" | null {
  const call = order.call;
  if (!call) return null;
  if (call.rings !== undefined) return call.rings;
  if (call.state !== "ringing_first" && call.state !== "ringing_second") return null;
  const first = program?.ring_first === "counselor" ? "counselor" : "caller";
  const second = first === "caller" ? "counselor" : "caller";
  return call.state === "ringing_first" ? first : second;
}

export interface Now {
  readonly stage:
    | "ready"
    | "ringing_you"
    | "ringing_them"
    | "connected"
    | "parted"
    | "waiting"
    | "queued"
    | "ending"
    | "interrupted"
    | "over";
  readonly title: string;
  readonly text: string;
}

/** The state of an order and its call as one sentence with an explanation. */
export function nowInWords(order: WantedOrder, program: WantedProgram | null, phone: string): Now {
  const say = words.value;
  const call = order.call;
  const isPool = program?.matching === "pool";
  if (!call) return atRest(order, isPool, phone);
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

function atRest(order: WantedOrder, isPool: boolean, phone: string): Now {
  const say = words.value;
  switch (order.state) {
    case "open":
      return {
        stage: "ready",
        title: say.ready,
        text: isPool ? say.readyTextOther(phone) : say.readyText(phone),
      };
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
      return { stage: "over", title: say.cancelled, text: say.cancelledText };
    case "expired":
      return { stage: "over", title: say.expired, text: say.expiredText };
    case "closed":
      return { stage: "over", title: say.closed, text: say.closedText };
  }
}
