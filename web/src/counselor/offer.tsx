/** A call that asks for this counselor: shown with its deadline, accepted or declined, explained. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { newIntent } from "../shared/api/client.ts";
import type { OfferView } from "../shared/api/schema.ts";
import { alarm } from "../shared/components/announcing.tsx";
import { Button } from "../shared/components/button.tsx";
import { Icon } from "../shared/components/icons.tsx";
import { Countdown, Fault, Note } from "../shared/components/showing.tsx";
import { inWords } from "../shared/refusals.ts";
import { clockTime, shortNumber } from "../shared/times.ts";
import { api } from "../staff/account.ts";
import { act, me, programName } from "./me.ts";
import { words } from "./words.ts";

const ARMED_AFTER_MILLISECONDS = 600;
/** Who accepted is joined at once where the caller waits on the line, else once their phone is answered. */
const SLOW_MILLISECONDS = 8_000;

export function Offer({ offer }: { offer: OfferView }) {
  const say = words.value;
  const accepting = useRef<HTMLButtonElement>(null);
  const declining = useRef<HTMLButtonElement>(null);
  const fault = useSignal<string | null>(null);
  const intents = useRef({ accept: newIntent(), decline: newIntent() });
  useEffect(() => {
    alarm(`${say.offerTitle}. ${programName(offer.program)}. ${say.offerRinging}`);
    // Whoever is writing keeps the cursor: a letter that is being typed must not accept a call.
    if (!isWriting()) accepting.current?.focus();
  }, []);
  useEffect(() => tellSeen(offer.call), []);
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
      // In a text this one takes a word back: it must not decline a call.
      const button =
        key.key === "Enter"
          ? accepting
          : key.key === "Backspace" && !isWriting()
            ? declining
            : null;
      if (!button?.current) return;
      key.preventDefault();
      button.current.click();
    };
    addEventListener("keydown", byKey);
    return () => removeEventListener("keydown", byKey);
  }, []);
  const isSlow = useLater(offer.accepted, SLOW_MILLISECONDS);
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
      data-offered-at={offer.offered_at}
      onKeyDown={(key) => key.key === "Escape" && declining.current?.focus()}
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
            {me.value ? ` ${shortNumber(me.value.phone)}` : ""}
            {offer.ring_until && (
              <>
                {" "}
                {say.offerLeft} <Countdown until={offer.ring_until} told={false} />
              </>
            )}
          </p>
        )}
        {isSlow && (
          <p class="soft" role="status">
            {say.offerSlow}
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
              focusRef={declining}
              armedAfterMilliseconds={ARMED_AFTER_MILLISECONDS}
              onPress={() => doing("decline")}
            >
              {say.decline}
            </Button>
            <span class="fine keys">
              <kbd>Alt</kbd> <kbd>Enter</kbd> · <kbd>Alt</kbd> <kbd>⌫</kbd>
            </span>
          </div>
        )}
      </div>
    </section>
  );
}

const isWriting = (): boolean =>
  document.activeElement?.matches("input, textarea, select") ?? false;

/** Whether something has been so for that long. */
function useLater(isSo: boolean, milliseconds: number): boolean {
  const later = useSignal(false);
  useEffect(() => {
    if (!isSo) return;
    const waiting = setTimeout(() => (later.value = true), milliseconds);
    return () => clearTimeout(waiting);
  }, [isSo]);
  return later.value;
}

/** Say that the offer is on a screen, and again when the page comes to the front. */
function tellSeen(call: string): () => void {
  const tell = (): void => {
    const asked = { path: { call }, body: { visible: !document.hidden } };
    void api("POST /v1/calls/{call}/seen", asked).catch(() => undefined); // evidence, no more
  };
  const come = (): void => {
    if (!document.hidden) tell();
  };
  tell();
  document.addEventListener("visibilitychange", come);
  return () => document.removeEventListener("visibilitychange", come);
}

/** An offer never just vanishes: what became of the last one stays for a while. */
export function LastOfferNote() {
  const say = words.value;
  const last = me.value?.last_offer;
  if (!last || last.became === "connected" || last.became === "ringing") return null;
  return (
    <Note tone={SERIOUS.has(last.became) ? "warm" : "calm"} icon="bell" title={say.lastOffer}>
      {clockTime(last.offered_at)} · {programName(last.program)} · {say.why[last.became]}
    </Note>
  );
}

/** What the counselor can do something about. */
const SERIOUS: ReadonlySet<string> = new Set(["missed", "fault"]);
