/** A call that asks for this counselor: shown with its deadline, accepted or declined, explained. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { newIntent } from "../shared/api/client.ts";
import type { WantedOffer } from "../shared/api/wanted.ts";
import { alarm } from "../shared/components/announcing.tsx";
import { Button } from "../shared/components/button.tsx";
import { Icon } from "../shared/components/icons.tsx";
import { Countdown, Fault, Note } from "../shared/components/showing.tsx";
import { secondsSince } from "../shared/clock.ts";
import { inWords } from "../shared/refusals.ts";
import { clockTime } from "../shared/times.ts";
import { api } from "../staff/account.ts";
import { act, ifKnown, me, programName } from "./me.ts";
import { words } from "./words.ts";

const ARMED_AFTER_MILLISECONDS = 600;

export function Offer({ offer }: { offer: WantedOffer }) {
  const say = words.value;
  const accepting = useRef<HTMLButtonElement>(null);
  const fault = useSignal<string | null>(null);
  const intents = useRef({ accept: newIntent(), decline: newIntent() });
  useEffect(() => {
    alarm(`${say.offerTitle}. ${programName(offer.program)}. ${say.offerRinging}`);
    tellSeen(offer.call);
    // Whoever is writing keeps the cursor: a letter that is being typed must not accept a call.
    const active = document.activeElement;
    const isWriting = active instanceof HTMLElement && active.matches("input, textarea, select");
    if (!isWriting) accepting.current?.focus();
  }, []);
  useEffect(() => {
    if (offer.answered) alarm(say.offerAnswered);
  }, [offer.answered]);
  const doing = async (what: "accept" | "decline"): Promise<void> => {
    try {
      fault.value = null;
      await act(what, offer.call, intents.current[what]);
    } catch (refused) {
      fault.value = inWords(refused);
      intents.current = { ...intents.current, [what]: newIntent() };
    }
  };
  useEffect(() => {
    const byKey = (key: KeyboardEvent): void => {
      if (!key.altKey || key.ctrlKey || key.metaKey) return;
      if (key.key === "Enter" && offer.answered && !offer.accepted) {
        key.preventDefault();
        void doing("accept");
      } else if (key.key === "Backspace" && !offer.accepted) {
        key.preventDefault();
        void doing("decline");
      }
    };
    addEventListener("keydown", byKey);
    return () => removeEventListener("keydown", byKey);
  }, [offer.answered, offer.accepted]);
  const title = offer.accepted
    ? say.offerAccepted
    : offer.answered
      ? say.offerAnswered
      : say.offerRinging;
  return (
    <section
      class={`offer${offer.accepted ? " accepted" : ""}`}
      role="alertdialog"
      aria-labelledby="offer-title"
      aria-describedby="offer-text"
      data-offer={offer.id ?? offer.call}
    >
      <div class="ringer" aria-hidden="true">
        <Icon name="phone" />
      </div>
      <div class="offer-body">
        <p class="eyebrow">
          {say.offerTitle} · {programName(offer.program)}
        </p>
        <h1 id="offer-title">{title}</h1>
        {!offer.accepted && (
          <p id="offer-text" class="soft">
            {offer.answered ? say.offerAnsweredText : say.offerRingingText}
            {me.value?.phone ? ` ${me.value.phone}` : ""}
            {offer.ring_until && (
              <>
                {" "}
                {say.offerLeft} <Countdown until={offer.ring_until} told={false} />
              </>
            )}
          </p>
        )}
        <Fault text={fault.value} />
        {!offer.accepted && (
          <div class="row">
            <Button
              id="accept"
              look="good"
              focusRef={accepting}
              armedAfterMilliseconds={ARMED_AFTER_MILLISECONDS}
              disabled={!offer.answered}
              onPress={() => doing("accept")}
            >
              <Icon name="check" />
              {offer.answered ? say.accept : say.acceptWait}
            </Button>
            <Button
              id="decline"
              armedAfterMilliseconds={ARMED_AFTER_MILLISECONDS}
              onPress={() => doing("decline")}
            >
              {say.decline}
            </Button>
            <span class="fine">
              <kbd>Alt</kbd> <kbd>Enter</kbd> · <kbd>Alt</kbd> <kbd>⌫</kbd>
            </span>
          </div>
        )}
      </div>
    </section>
  );
}

const seen = new Set<string>();

/** Lets the service know that the offer is on a screen; nothing depends on it here. */
function tellSeen(call: string): void {
  if (seen.has(call)) return;
  seen.add(call);
  const body = { visible: !document.hidden };
  void ifKnown(api.wanted("POST", `/v1/calls/${encodeURIComponent(call)}/seen`, body)).catch(() =>
    seen.delete(call),
  );
}

const SHOWN_SECONDS = 600;

/** An offer never just vanishes: what became of the last one stays for a while. */
export function LastOfferNote() {
  const last = me.value?.last_offer;
  if (!last || me.value?.offer || secondsSince(last.ended_at) > SHOWN_SECONDS) return null;
  if (last.why === "accepted") return null;
  const say = words.value;
  return (
    <Note tone={last.why === "fault" ? "bad" : "calm"} icon="bell" title={say.lastOffer}>
      {clockTime(last.ended_at)} · {programName(last.program)} · {say.why[last.why]}
    </Note>
  );
}
