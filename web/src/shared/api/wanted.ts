/**
 * What the pages use and the published document does not say yet. Everything here is optional: a
 * service without it still works, with less on screen. Each goes away once it is published.
 */
import type {
  CallView,
  ClaimView,
  OrderView,
  ProgramView,
  RatingView,
  TextView,
} from "./schema.ts";

/** A published shape with fields that may come later. Once they are there, theirs are the types. */
type With<Published, More> = Published & Partial<Omit<More, keyof Published>>;

export type WantedCall = With<CallView, { rings: "caller" | "counselor" | null }>;
export type WantedOrder = With<
  Omit<OrderView, "call">,
  {
    claim: ClaimView | null;
    rate_until: string | null;
    rating: RatingView | null;
  }
> & { readonly call: WantedCall | null };
export type WantedProgram = With<
  ProgramView,
  {
    shows: string | null;
    topic_names: Readonly<Record<string, TextView>>;
    disposition_names: Readonly<Record<string, TextView>>;
  }
>;
