/** One pill on every page of the staff: the service's own word, and one press to change it. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Activity, Presence } from "../shared/api/schema.ts";
import { Button } from "../shared/components/button.tsx";
import { Fault, Pill, useStale, type Tone } from "../shared/components/showing.tsx";
import { inWords } from "../shared/refusals.ts";
import { clockTime } from "../shared/times.ts";
import { asking, me, reading, talkOf, want } from "./me.ts";
import { checked, checking } from "./readiness.tsx";
import { words } from "./words.ts";

const TONES: Record<Activity, Tone> = {
  free: "good",
  engaged: "blue",
  wrap_up: "warm",
  cooldown: "warm",
  break: "warm",
  offline: "calm",
};
const CHOICES: readonly Presence[] = ["available", "break", "offline"];
const RESTING: ReadonlySet<Activity> = new Set(["engaged", "wrap_up", "cooldown"]);

/** Taking calls begins with a look at phone, sound and connection, once per window. */
export async function choose(presence: Presence): Promise<void> {
  if (presence === "available" && !checked.peek()) checking.value = true;
  else await want(presence);
}

export function StatusPill() {
  const say = words.value;
  const open = useSignal(false);
  const fault = useSignal<string | null>(null);
  const menu = useRef<HTMLDivElement>(null);
  const mine = me.value;
  const stale = useStale(reading).value;
  useEffect(() => {
    if (!open.value) return;
    const leave = (event: Event): void => {
      if (
        event instanceof KeyboardEvent
          ? event.key === "Escape"
          : !menu.current?.contains(event.target as Node)
      )
        open.value = false;
    };
    document.addEventListener("pointerdown", leave);
    document.addEventListener("keydown", leave);
    return () => {
      document.removeEventListener("pointerdown", leave);
      document.removeEventListener("keydown", leave);
    };
  }, [open.value]);
  if (!mine) return reading.fault.value && <Pill>{say.statusUnknown}</Pill>;
  const change = async (presence: Presence): Promise<void> => {
    try {
      fault.value = null;
      await choose(presence);
      open.value = false;
    } catch (refused) {
      fault.value = inWords(refused);
    }
  };
  const word = talkOf(mine) ? say.onCall : say.activity[mine.activity];
  const then = RESTING.has(mine.activity) && mine.presence !== "available";
  const pending = asking.value;
  const until = mine.activity === "cooldown" ? mine.cooldown_until : null;
  const checkAgain = (): void => {
    open.value = false;
    checking.value = true;
  };
  return (
    <div class="status" ref={menu}>
      <button
        type="button"
        id="status"
        class="status-pill"
        aria-expanded={open.value}
        aria-busy={pending !== null || undefined}
        aria-controls="status-menu"
        onClick={() => (open.value = !open.value)}
      >
        <span class="unseen">{say.status} </span>
        <Pill tone={stale ? "calm" : TONES[mine.activity]}>
          {stale ? say.statusUnknown : word}
          {pending && <small> · {say.asking(say.presence[pending])}</small>}
          {then && !stale && <small> · {say.afterCall(say.presence[mine.presence])}</small>}
          {until && !stale && <small> · {say.until(clockTime(until))}</small>}
        </Pill>
      </button>
      {open.value && (
        <div class="menu" id="status-menu">
          <Fault text={fault.value} />
          {CHOICES.map((one) => (
            <Button
              key={one}
              id={`want-${one}`}
              look="quiet"
              disabled={mine.presence === one}
              onPress={() => change(one)}
            >
              {say.presence[one]}
            </Button>
          ))}
          <Button id="check-again" look="quiet" onPress={checkAgain}>
            {say.soundAndChecks}
          </Button>
        </div>
      )}
    </div>
  );
}
