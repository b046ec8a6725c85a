/** Before taking calls: is the ring heard, is the line there, is the phone at hand? */
import { signal, useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { clockTime, shortNumber } from "../shared/times.ts";
import { inWords } from "../shared/refusals.ts";
import { Button } from "../shared/components/button.tsx";
import { Dialog } from "../shared/components/dialog.tsx";
import { Choice } from "../shared/components/field.tsx";
import { Fault, Pill } from "../shared/components/showing.tsx";
import { Icon, type IconName } from "../shared/components/icons.tsx";
import { api, live } from "../staff/account.ts";
import { me, reading, want } from "./me.ts";
import {
  askToNotify,
  keepRing,
  mayNotify,
  mayRing,
  openSound,
  playOnce,
  ringing,
  TUNES,
  type Tune,
} from "./ringing.ts";
import { words } from "./words.ts";

/** Whether this window was checked; a reload asks again, for the sound needs a press anyway. */
export const checked = signal(false);
export const checking = signal(false);

export function Readiness() {
  const say = words.value;
  const heard = useSignal(false);
  const atHand = useSignal(false);
  const trip = useTrip();
  const fault = useSignal<string | null>(null);
  const isLive = live.connection.value === "live";
  const check = me.value?.phone_check?.state;
  const isPhoneReady = check === "reached" || (atHand.value && check !== "ringing");
  const ready = heard.value && isLive && isPhoneReady;
  const begin = async (): Promise<void> => {
    if (!ready) return;
    try {
      await want("available");
      checked.value = true;
      checking.value = false;
    } catch (refused) {
      fault.value = inWords(refused);
    }
  };
  return (
    <Dialog title={say.checkTitle} onClose={() => (checking.value = false)}>
      <ol class="checks">
        <Check icon="sound" name={say.checkSound} done={heard.value && mayRing.value}>
          <SoundCheck heard={heard.value} onHeard={() => (heard.value = true)} />
        </Check>
        <Check icon="bell" name={say.checkNotify} done={mayNotify.value === "granted"} optional>
          <NotifyCheck />
        </Check>
        <Check icon="line" name={say.checkLine} done={isLive}>
          <p class="fine">
            {isLive && trip !== null
              ? say.checkLineText(trip)
              : isLive
                ? say.pageLive
                : say.pageLost}
          </p>
        </Check>
        <Check
          icon="phone"
          name={`${say.checkPhone} ${shortNumber(me.value?.phone ?? "")}`}
          done={isPhoneReady}
        >
          <PhoneCheckUp atHand={atHand.value} onAtHand={(is) => (atHand.value = is)} />
        </Check>
      </ol>
      <Fault text={fault.value} />
      <div class="actions">
        <Button id="ready" look="main" wide disabled={!ready} onPress={begin}>
          {say.checkDone}
        </Button>
      </div>
    </Dialog>
  );
}

interface CheckProps {
  readonly icon: IconName;
  readonly name: string;
  readonly done: boolean;
  readonly optional?: boolean;
  readonly children: ComponentChildren;
}

function Check({ icon, name, done, optional = false, children }: CheckProps) {
  const say = words.value;
  return (
    <li>
      <header>
        <Icon name={icon} />
        <h3>{name}</h3>
        {(done || !optional) && (
          <Pill tone={done ? "good" : "warm"}>{done ? say.ok : say.todo}</Pill>
        )}
      </header>
      {children}
    </li>
  );
}

function SoundCheck({ heard, onHeard }: { heard: boolean; onHeard: () => void }) {
  const say = words.value;
  const played = useSignal(false);
  const play = async (): Promise<void> => {
    await openSound();
    playOnce();
    played.value = true;
  };
  return (
    <div class="stack tight">
      <p class="fine">{say.checkSoundText}</p>
      <div class="row">
        <Button id="play" onPress={play}>
          {say.checkPlay}
        </Button>
        {played.value && !heard && (
          <Button id="heard" look="good" onPress={onHeard}>
            <Icon name="check" />
            {say.checkHeard}
          </Button>
        )}
      </div>
      {played.value && (
        <div class="row">
          <Choice
            legend={say.checkTune}
            hideLegend
            layout="chips"
            options={TUNES.map((tune) => ({ value: tune, label: say.tunes[tune] }))}
            chosen={ringing.value.tune}
            onChoose={(tune) => {
              keepRing({ tune: tune as Tune });
              playOnce();
            }}
          />
          <label class="volume">
            <span>{say.checkVolume}</span>
            <input
              type="range"
              min="0.1"
              max="1"
              step="0.1"
              value={ringing.value.volume}
              onChange={(change) => {
                keepRing({ volume: Number(change.currentTarget.value) });
                playOnce();
              }}
            />
          </label>
        </div>
      )}
    </div>
  );
}

function NotifyCheck() {
  const say = words.value;
  if (mayNotify.value === "denied") return <p class="fine">{say.checkDenied}</p>;
  return (
    <div class="stack tight">
      <p class="fine">{say.checkNotifyText}</p>
      {mayNotify.value === "default" && (
        <div class="row">
          <Button onPress={askToNotify}>{say.checkAllow}</Button>
        </div>
      )}
    </div>
  );
}

const LOOK_MILLISECONDS = 700;

interface PhoneProps {
  readonly atHand: boolean;
  readonly onAtHand: (is: boolean) => void;
}

function PhoneCheckUp({ atHand, onAtHand }: PhoneProps) {
  const say = words.value;
  const reachedAt = useReachedAt();
  const check = me.value?.phone_check;
  const fault = useSignal<string | null>(null);
  const ring = async (): Promise<void> => {
    try {
      fault.value = null;
      await api("POST /v1/me/phone-check");
    } catch (refused) {
      fault.value = inWords(refused);
    }
    await reading.now();
  };
  useEffect(() => {
    if (check?.state !== "ringing") return;
    const looking = setInterval(() => void reading.now(), LOOK_MILLISECONDS);
    return () => clearInterval(looking);
  }, [check?.state]);
  const told = {
    ringing: say.checkRinging,
    not_reached: check?.reason ? say.checkMissed(say.checkWhy[check.reason]) : say.checkMissed(""),
    reached: check ? say.checkReached(clockTime(check.at)) : "",
  };
  return (
    <div class="stack tight">
      <p class="fine" aria-live="polite">
        {check ? told[check.state] : reachedAt ? say.checkReached(clockTime(reachedAt)) : null}{" "}
        {!check && say.checkPhoneText}
      </p>
      <Fault text={fault.value} />
      <div class="row">
        {check?.state !== "ringing" && (
          <Button id="ring-me" onPress={ring}>
            {say.checkRing}
          </Button>
        )}
        <label class="tick">
          <input
            id="at-hand"
            type="checkbox"
            checked={atHand}
            onChange={(change) => onAtHand(change.currentTarget.checked)}
          />
          <span>{say.checkAtHand}</span>
        </label>
      </div>
    </div>
  );
}

/** When this counselor's phone last carried a call today. */
function useReachedAt(): string | null {
  const at = useSignal<string | null>(null);
  useEffect(() => {
    void api("GET /v1/me/day")
      .then((day) => (at.value = day.calls.find((one) => one.connected_at)?.connected_at ?? null))
      .catch(() => undefined); // the check goes on without it
  }, []);
  return at.value;
}

/** How long a question to the service takes, in milliseconds. */
function useTrip(): number | null {
  const trip = useSignal<number | null>(null);
  useEffect(() => {
    const began = performance.now();
    void reading.now().then(() => (trip.value = Math.round(performance.now() - began)));
  }, []);
  return trip.value;
}
