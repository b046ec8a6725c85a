/**
 * What the pages use and the published document does not say yet. Everything here is optional: a
 * service without it still works, with less on screen. Each goes away once it is published.
 */
import type {
  CallView,
  ClaimView,
  Me,
  OfferView,
  OrderView,
  OwnCallView,
  ProgramView,
  RatingView,
  Role,
  TextView,
  WrapUpView,
} from "./schema.ts";

/** A published shape with fields that may come later. Once they are there, theirs are the types. */
type With<Published, More> = Published & Partial<Omit<More, keyof Published>>;

export type WantedCall = With<CallView, { rings: "caller" | "counselor" | null; attempts: number }>;
export type WantedOrder = With<
  Omit<OrderView, "call">,
  {
    counselor_name: string | null;
    phone: string | null;
    granted_seconds: number | null;
    talked_seconds: number;
    claim_until: string | null;
    claim: ClaimView | null;
    rate_until: string | null;
    rating: RatingView | null;
    has_summary: boolean;
    last_call: {
      readonly id: string;
      readonly ended_at: string | null;
      readonly talked_seconds: number;
      readonly end_reason: string | null;
      readonly attempts: number;
    } | null;
  }
> & { readonly call: WantedCall | null };
export type WantedProgram = With<
  ProgramView,
  {
    ring_first: "caller" | "counselor";
    shows: string | null;
    dispositions: readonly string[];
    claim_seconds: number;
    order_seconds: number;
    extend_by_counselor: boolean;
    topic_names: Readonly<Record<string, TextView>>;
    disposition_names: Readonly<Record<string, TextView>>;
  }
>;

export interface LegOnCall {
  readonly role: Role;
  readonly state: "ringing" | "answered" | "talking" | "held" | "ended";
  readonly since: string;
}
export type WantedOffer = With<
  OfferView,
  { id: string; offered_at: string; ring_until: string; seen_at: string | null }
>;
export type WantedOwnCall = With<
  OwnCallView,
  {
    started_at: string;
    can_extend: boolean;
    extended_seconds: number;
    handed_over: boolean;
    transfer_name: string | null;
    legs: readonly LegOnCall[];
  }
>;
export type WantedWrapUp = With<
  WrapUpView,
  { program: string; bridged_at: string | null; ended_at: string | null; talked_seconds: number }
>;
export interface LastOffer {
  readonly id: string;
  readonly call: string;
  readonly program: string;
  readonly offered_at: string;
  readonly ended_at: string;
  readonly why:
    | "accepted"
    | "declined"
    | "not_answered"
    | "not_accepted"
    | "caller_gone"
    | "withdrawn"
    | "fault";
}
export interface PhoneCheck {
  readonly state: "ringing" | "reached" | "not_reached";
  readonly at: string;
  readonly reason: string | null;
}
export type WantedMe = With<
  Omit<Me, "offer" | "call" | "wrap_ups">,
  {
    phone: string;
    cooldown_until: string | null;
    last_offer: LastOffer | null;
    phone_check: PhoneCheck | null;
    phone_reached_at: string | null;
  }
> & {
  readonly offer: WantedOffer | null;
  readonly call: WantedOwnCall | null;
  readonly wrap_ups: readonly WantedWrapUp[];
};

export type RiskAnswer = "no" | "yes" | "unsaid";
export interface Risk {
  readonly thoughts: RiskAnswer;
  readonly plan: RiskAnswer;
  readonly means: RiskAnswer;
  readonly alone: RiskAnswer;
  readonly level: "none" | "low" | "raised" | "acute";
}
export interface DraftNotes {
  readonly summary: string;
  readonly topics: readonly string[];
  readonly disposition: string | null;
  readonly cut_off: boolean | null;
  readonly risk: Risk | null;
  readonly version: number;
}
export interface NotesView extends DraftNotes {
  readonly call: string;
  readonly saved_at: string | null;
  readonly written_at: string | null;
}
export interface DayCall {
  readonly id: string;
  readonly order: string;
  readonly program: string;
  readonly offered_at: string | null;
  readonly connected_at: string | null;
  readonly ended_at: string | null;
  readonly talked_seconds: number;
  readonly ended: string | null;
  readonly notes: "written" | "owed" | "none";
}
export interface Day {
  readonly on: string;
  readonly offered: number;
  readonly accepted: number;
  readonly declined: number;
  readonly missed: number;
  readonly talked_seconds: number;
  readonly calls: readonly DayCall[];
}
export interface SignedInAs {
  readonly id: string;
  readonly email: string;
  readonly roles: readonly string[];
  readonly counselor: string | null;
  readonly second_factor: "none" | "on" | "due";
}
