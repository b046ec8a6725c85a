/** The call under way: who is on the line, how long it may last, and the way out of it. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { newIntent } from "../shared/api/client.ts";
import type { LegState, OwnCallView } from "../shared/api/schema.ts";
import { announce } from "../shared/components/announcing.tsx";
import { Button } from "../shared/components/button.tsx";
import { Dialog } from "../shared/components/dialog.tsx";
import { Countdown, Fault, Pill, type Tone } from "../shared/components/showing.tsx";
import { secondsSince } from "../shared/clock.ts";
import { inWords } from "../shared/refusals.ts";
import { clockTime, digits, length } from "../shared/times.ts";
import { act, programName, programOf } from "./me.ts";
import { words } from "./words.ts";

function stateInWords(call: OwnCallView): string {
  const say = words.value;
  if (call.handed_over) return say.handedOver;
  if (call.state === "bridged") return say.talking;
  return call.state === "parted" ? say.parted : say.ringingThem;
}

export function OnCall({ call, stale }: { call: OwnCallView; stale: boolean }) {
  const say = words.value;
  const words_ = stateInWords(call);
  useEffect(() => announce(words_), [words_]);
  return (
    <section
      class={`card on-call ${call.state}${stale ? " stale-grey" : ""}`}
      aria-labelledby="call-title"
      data-call={call.id}
      data-state={call.state}
    >
      <header class="row apart">
        <div>
          <p class="eyebrow">{programName(call.program)}</p>
          <h1 id="call-title">{words_}</h1>
        </div>
        {call.bridged_at && <p class="fine">{say.began(clockTime(call.bridged_at))}</p>}
      </header>
      <TimeOfTalk call={call} />
      {call.state === "parted" && <p class="soft">{say.partedText}</p>}
      <Lines call={call} />
      <Ways call={call} />
    </section>
  );
}

function TimeOfTalk({ call }: { call: OwnCallView }) {
  const say = words.value;
  const program = programOf(call.program);
  if (call.ends_at && !call.crisis)
    return (
      <div class="talk-time">
        <Countdown until={call.ends_at} whole={grantedSeconds(call)} />
        <small>
          {say.left} · {say.until(clockTime(call.ends_at))}
          {call.extended_seconds ? ` · ${say.extended(length(call.extended_seconds))}` : ""}
        </small>
      </div>
    );
  if (call.over_since) return <TimeIsOver call={call} since={call.over_since} />;
  if (call.left_seconds !== null)
    return (
      <div class="talk-time stands">
        <span class="countdown">{digits(call.left_seconds)}</span>
        <small>{say.left}</small>
      </div>
    );
  if (call.bridged_at && (call.crisis || program?.talk_seconds === null))
    return (
      <div class="talk-time">
        <span class="countdown">{digits(secondsSince(call.bridged_at))}</span>
        <small>{say.noLimit}</small>
      </div>
    );
  return null;
}

/** What the program grants and the counselor added; null where the talk has no end. */
function grantedSeconds(call: OwnCallView): number | null {
  const granted = programOf(call.program)?.talk_seconds;
  return granted == null ? null : granted + call.extended_seconds;
}

/** The granted time is used up and nobody is cut off: the counselor has to know, and may give more. */
function TimeIsOver({ call, since }: { call: OwnCallView; since: string }) {
  const say = words.value;
  const at = clockTime(since);
  const told = call.extended_seconds
    ? say.extensionOver(length(call.extended_seconds), at)
    : say.timeReached(at);
  useEffect(() => announce(told), [told]);
  return (
    <div class="talk-time over">
      <span class="countdown">+{digits(secondsSince(since))}</span>
      <small>{told}</small>
    </div>
  );
}

const LEG_TONES: Record<LegState, Tone> = {
  ringing: "blue",
  answered: "blue",
  talking: "good",
};

/** Each line by itself: a call is only over when both are. */
function Lines({ call }: { call: OwnCallView }) {
  const say = words.value;
  if (call.legs.length === 0) return null;
  return (
    <ul class="legs" aria-label={say.legs}>
      {call.legs.map((leg) => (
        <li key={leg.role}>
          <span>{say.roles[leg.role]}</span>
          <Pill tone={LEG_TONES[leg.state]}>{say.leg[leg.state]}</Pill>
        </li>
      ))}
    </ul>
  );
}

function Ways({ call }: { call: OwnCallView }) {
  const say = words.value;
  const fault = useSignal<string | null>(null);
  const ending = useSignal(false);
  const doing = async (what: "extend" | "hang-up"): Promise<void> => {
    try {
      fault.value = null;
      await act(what, call.id, newIntent());
      ending.value = false;
    } catch (refused) {
      fault.value = inWords(refused);
    }
  };
  const locked = call.crisis && !call.handed_over;
  return (
    <div class="stack tight">
      <Fault text={fault.value} />
      <div class="row apart">
        {call.can_extend && !call.crisis ? (
          <Button id="extend" onPress={() => doing("extend")}>
            {say.extend}
          </Button>
        ) : (
          <span />
        )}
        <Button
          id="hang-up"
          key={call.id}
          look="danger"
          disabled={locked}
          describedBy={locked ? "hang-up-why" : undefined}
          armedAfterMilliseconds={1000}
          onPress={() => void (ending.value = true)}
        >
          {say.hangUp}
        </Button>
      </div>
      {locked && (
        <p class="fine" id="hang-up-why">
          {say.hangUpCrisis}
        </p>
      )}
      {ending.value && (
        <Dialog alert title={say.hangUpTitle} onClose={() => (ending.value = false)}>
          <p>{say.hangUpText}</p>
          <Fault text={fault.value} />
          <div class="actions">
            <Button onPress={() => void (ending.value = false)}>{say.goOn}</Button>
            <Button id="hang-up-yes" look="danger" onPress={() => doing("hang-up")}>
              {say.hangUpYes}
            </Button>
          </div>
        </Dialog>
      )}
    </div>
  );
}
