/** The counselor's desk: what the service says is true, one thing to do at a time. */
import { useSignal } from "@preact/signals";
import type { OwnCallView, WrapUpView } from "../shared/api/schema.ts";
import { Button } from "../shared/components/button.tsx";
import {
  Countdown,
  Fault,
  Freshness,
  Loading,
  Missing,
  Note,
  Pill,
  Unread,
  useStale,
} from "../shared/components/showing.tsx";
import { inWords } from "../shared/refusals.ts";
import { matching, path } from "../shared/router.ts";
import { clockTime, shortNumber } from "../shared/times.ts";
import { live } from "../staff/account.ts";
import { OnCall } from "./call.tsx";
import "./counselor.css";
import { Crisis, RiskScreen } from "./crisis.tsx";
import { MyDay } from "./day.tsx";
import { lapsed, me, programName, reading, talkOf } from "./me.ts";
import { Notes, useDraft } from "./notes.tsx";
import { LastOfferNote } from "./offer.tsx";
import { choose } from "./status.tsx";
import { words } from "./words.ts";
import { WrapUpEnded } from "./wrap-up-ended.tsx";

export function Pages() {
  if (!me.value && reading.fault.value)
    return <Unread text={inWords(reading.fault.value)} again={() => reading.now()} />;
  if (!me.value) return <Loading />;
  return (
    <>
      <Freshness reading={reading} live={live} />
      <Tabs />
      {matching("/desk", path.value) ? (
        <Desk />
      ) : matching("/desk/day", path.value) ? (
        <MyDay />
      ) : (
        <Missing home="/desk" />
      )}
    </>
  );
}

function Tabs() {
  const say = words.value;
  const at = path.value.replace(/\/$/, "");
  return (
    <nav class="tabs desk-tabs" aria-label={say.nav}>
      <a href="/desk" aria-current={at === "/desk" ? "page" : undefined}>
        {say.desk}
      </a>
      <a href="/desk/day" aria-current={at === "/desk/day" ? "page" : undefined}>
        {say.day}
      </a>
    </nav>
  );
}

function Desk() {
  const mine = me.value;
  const stale = useStale(reading).value;
  const picked = useSignal<string | null>(null);
  if (!mine) return null;
  const talking = talkOf(mine);
  const owed =
    mine.wrap_ups.find((one) => one.call === picked.value) ?? mine.wrap_ups.at(-1) ?? null;
  const writing = talking?.id ?? owed?.call;
  return (
    <div class="desk">
      <div class="stack">
        {talking ? (
          <OnCall key={talking.id} call={talking} stale={stale} />
        ) : (
          !mine.offer && <Waiting />
        )}
        <WrapUpEnded />
        <LastOfferNote />
        <Owed shown={owed?.call ?? null} onPick={(call) => (picked.value = call)} />
      </div>
      {writing ? (
        <Writing key={writing} id={writing} call={talking} owed={owed} />
      ) : mine.offer ? null : (
        <MyDay heading="h2" />
      )}
    </div>
  );
}

interface WritingProps {
  readonly id: string;
  readonly call: OwnCallView | null;
  readonly owed: WrapUpView | null;
}

/** One form for one call, from its first minute until its notes are handed in. */
function Writing({ id, call, owed }: WritingProps) {
  const draft = useDraft(id);
  return (
    <div class="stack">
      {call && <Crisis call={call} />}
      <Notes
        draft={draft}
        program={call?.program ?? owed?.program}
        owed={call ? null : owed}
        began={call?.bridged_at ?? owed?.connected_at ?? owed?.opened_at ?? null}
      />
      {call && <RiskScreen draft={draft} />}
    </div>
  );
}

/** Nothing to do at the moment, and why. */
function Waiting() {
  const say = words.value;
  const mine = me.value;
  const fault = useSignal<string | null>(null);
  if (!mine) return null;
  const told = {
    free: [say.freeTitle, say.freeText],
    engaged: [say.ringingThem, ""],
    wrap_up: [say.wrapTitle, say.wrapText],
    cooldown: [say.cooldownTitle, say.cooldownText],
    break: [say.breakTitle, say.breakText],
    offline: [say.offlineTitle, say.offlineText],
  } as const;
  const [title, text] = told[mine.activity];
  const start = async (): Promise<void> => {
    try {
      fault.value = null;
      await choose("available");
    } catch (refused) {
      fault.value = inWords(refused);
    }
  };
  return (
    <section class={`card waiting ${mine.activity}`} aria-labelledby="waiting-title">
      <p class="eyebrow">{say.hello(mine.name)}</p>
      <h1 id="waiting-title">{title}</h1>
      <p class="soft">{text}</p>
      {mine.activity === "wrap_up" && mine.wrap_up_until && (
        <Countdown until={mine.wrap_up_until} told={false} />
      )}
      {lapsed.value && (
        <Note tone="warm" icon="alert" title={say.lapsed} urgent>
          {say.lapsedText}
        </Note>
      )}
      <Fault text={fault.value} />
      {(mine.activity === "offline" || mine.activity === "break") && (
        <Button id="go-available" look="main" onPress={start}>
          {say.goAvailable}
        </Button>
      )}
      <dl class="facts">
        <dt>{say.phone}</dt>
        <dd>{shortNumber(mine.phone)}</dd>
        <dt>{say.checkLine}</dt>
        <dd>
          <Pill tone={live.connection.value === "live" ? "good" : "warm"}>
            {live.connection.value === "live" ? say.pageLive : say.pageLost}
          </Pill>
        </dd>
      </dl>
    </section>
  );
}

function Owed({ shown, onPick }: { shown: string | null; onPick: (call: string) => void }) {
  const say = words.value;
  const owed = me.value?.wrap_ups ?? [];
  if (owed.length < 2) return null;
  return (
    <section class="card stack tight" aria-labelledby="owed">
      <h2 id="owed">
        {say.owed} · {owed.length}
      </h2>
      <div class="row">
        {owed.map((one) => (
          <button
            key={one.call}
            type="button"
            class="button small"
            aria-pressed={one.call === shown}
            onClick={() => onPick(one.call)}
          >
            {clockTime(one.connected_at ?? one.opened_at)} {programName(one.program)}
          </button>
        ))}
      </div>
    </section>
  );
}
