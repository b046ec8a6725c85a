/** An appointed time, and what giving it up costs: always by the service's clock. */
import type { OrderView, ProgramView } from "../shared/api/schema.ts";
import { now } from "../shared/clock.ts";
import { nearTime } from "../shared/times.ts";
import { words } from "./words.ts";

/** Whether the order waits for its appointed time. */
export const isAhead = (order: OrderView): boolean =>
  order.state === "open" && order.starts_at !== null && now.value < Date.parse(order.starts_at);

/** Whether giving the order up now would count as used. */
export const countsNow = (order: OrderView): boolean =>
  order.cancel_counts_after !== null && now.value > Date.parse(order.cancel_counts_after);

/** What giving the order up now would cost, in words with the time. */
export function costOfCancelling(order: OrderView, program: ProgramView | null): string {
  const say = words.value;
  if (order.starts_at === null) return program?.needs_voucher ? say.cancelText : say.cancelPlain;
  const until = order.cancel_counts_after;
  if (until === null) return say.cancelFree;
  return countsNow(order)
    ? say.cancelCounts(nearTime(until))
    : say.cancelFreeUntil(nearTime(until));
}

/** What it costs not to call after the appointed time; null where it costs nothing. */
export function costOfMissing(order: OrderView, program: ProgramView | null): string | null {
  const counts = program?.appointments?.no_show_counts && order.cancel_counts_after !== null;
  return order.starts_at !== null && counts
    ? words.value.missingCounts(nearTime(order.expires_at))
    : null;
}
