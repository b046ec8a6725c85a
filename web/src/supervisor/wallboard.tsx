/** Now and today. What may be out of date greys out and says as of when it is. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { StuckView, TodayView, VerdictKind, WallboardView } from "../shared/api/schema.ts";
import { Button } from "../shared/components/button.tsx";
import { Dialog } from "../shared/components/dialog.tsx";
import { Field } from "../shared/components/field.tsx";
import {
  Fault,
  Freshness,
  Loading,
  Note,
  Unread,
  useStale,
  type Tone,
} from "../shared/components/showing.tsx";
import { language } from "../shared/language.ts";
import type { Live } from "../shared/live.ts";
import { inWords } from "../shared/refusals.ts";
import { Refusal } from "../shared/api/client.ts";
import { secondsSince } from "../shared/clock.ts";
import { clockTime, digits, length } from "../shared/times.ts";
import { api } from "../staff/account.ts";
import { useReading } from "../staff/use-reading.ts";
import { enumerations } from "../staff/enumerations.ts";
import { programTitle } from "../staff/programs.ts";
import { words } from "./words.ts";

const LOOK_AT_RINGS_MILLISECONDS = 5_000;

export function Wallboard({ live }: { live: Live }) {
  const board = useSignal<WallboardView | null>(null);
  const reading = useReading(async () => {
    board.value = await api("GET /v1/wallboard");
  }, []);
  const stale = useStale(reading).value;
  useEffect(() => {
    if (!board.value?.now.ringing) return;
    // That a page does not show the call is no event: it is what fails to come.
    const looking = setTimeout(() => void reading.now(), LOOK_AT_RINGS_MILLISECONDS);
    return () => clearTimeout(looking);
  }, [board.value]);
  if (board.value === null && reading.fault.value)
    return <Unread text={inWords(reading.fault.value)} again={() => reading.now()} />;
  if (board.value === null) return <Loading />;
  return (
    <>
      <Freshness reading={reading} live={live} />
      <div class={stale ? "stack board stale-grey" : "stack board"}>
        <Now board={board.value} />
        {board.value.now.stuck.length > 0 && (
          <Stuck calls={board.value.now.stuck} onEnded={() => reading.now()} />
        )}
        <Today board={board.value} />
      </div>
    </>
  );
}

function Now({ board }: { board: WallboardView }) {
  const say = words.value;
  const now = board.now;
  const longest = now.longest_since === null ? null : secondsSince(now.longest_since);
  const warmIf = (count: number): Tone => (count > 0 ? "warm" : "calm");
  const tiles: readonly (readonly [keyof typeof say.meaning, string | number, Tone])[] = [
    ["waiting", now.waiting, warmIf(now.waiting)],
    ["longest", longest === null ? "–" : digits(longest), warmIf(now.waiting)],
    ["free", now.counselors["free"] ?? 0, "good"],
    ["ringing", now.ringing, "blue"],
    ["talking", now.talking, "blue"],
    ["parted", now.parted, warmIf(now.parted)],
    ["wrapUp", now.counselors["wrap_up"] ?? 0, "calm"],
    ["crisis", now.in_crisis, now.in_crisis > 0 ? "bad" : "calm"],
  ];
  return (
    <section class="stack tight" aria-labelledby="now">
      <h1 id="now">{say.now}</h1>
      <dl class="tiles">
        {tiles.map(([name, value, tone]) => (
          <div key={name} class={`card tile ${tone}`}>
            <dt>{say[name]}</dt>
            <dd>{value}</dd>
            <dd class="meaning">{say.meaning[name]}</dd>
          </div>
        ))}
      </dl>
      {now.not_showing > 0 && (
        <Note tone="warm" icon="alert" title={`${say.notShowing} · ${now.not_showing}`} urgent>
          {say.notShowingText} <a href="/supervisor/people">{say.people}</a>
        </Note>
      )}
    </section>
  );
}

function Stuck({ calls, onEnded }: { calls: readonly StuckView[]; onEnded: () => unknown }) {
  const say = words.value;
  const asked = useSignal<StuckView | null>(null);
  return (
    <section class="card stack tight" aria-labelledby="stuck">
      <h2 id="stuck">
        {say.stuckTitle} · {calls.length}
      </h2>
      <Note tone="bad" icon="alert" urgent>
        {say.stuckText}
      </Note>
      <ul class="lines">
        {calls.map((call) => (
          <li key={call.call} class="row apart">
            <code>{call.call}</code>
            <span class="soft">{say.since(clockTime(call.since))}</span>
            <Button look="danger" onPress={() => void (asked.value = call)}>
              {say.end}
            </Button>
          </li>
        ))}
      </ul>
      {asked.value && (
        <EndCall
          call={asked.value.call}
          onDone={() => {
            asked.value = null;
            onEnded();
          }}
        />
      )}
    </section>
  );
}

function EndCall({ call, onDone }: { call: string; onDone: () => void }) {
  const say = words.value;
  const reason = useSignal("");
  const fault = useSignal<string | null>(null);
  const inCrisis = useSignal(false);
  const confirmed = useSignal(false);
  const end = async (): Promise<void> => {
    try {
      await api("POST /v1/calls/{call}/end", {
        path: { call },
        body: { reason: reason.value, confirm: confirmed.value },
      });
      onDone();
    } catch (refused) {
      fault.value = inWords(refused);
      inCrisis.value = refused instanceof Refusal && refused.code === "not_now";
    }
  };
  return (
    <Dialog alert title={say.endTitle} onClose={onDone}>
      <p>{say.endText}</p>
      <Field label={say.reason} value={reason} maxLength={200} first />
      {inCrisis.value && (
        <label class="row">
          <input
            type="checkbox"
            checked={confirmed.value}
            onChange={(box) => (confirmed.value = box.currentTarget.checked)}
          />
          <span>{say.endCrisis}</span>
        </label>
      )}
      <Fault text={fault.value} />
      <div class="actions">
        <Button onPress={onDone}>{say.keep}</Button>
        <Button look="danger" disabled={reason.value.trim() === ""} onPress={end}>
          {say.end}
        </Button>
      </div>
    </Dialog>
  );
}

const COLUMNS = ["offered", "answered", "abandoned", "blocked", "attempts", "asa"] as const;

function Today({ board }: { board: WallboardView }) {
  const say = words.value;
  const rows = [board.today, ...board.programs];
  const formula = board.today.service_level.formula;
  return (
    <section class="stack tight" aria-labelledby="today">
      <h2 id="today">
        {say.today} <small class="soft">{say.todaySince}</small>
      </h2>
      {board.today.offered + board.today.blocked === 0 ? (
        <p class="soft">{say.none}</p>
      ) : (
        <>
          <div class="card table-card" tabIndex={0}>
            <table class="numbers">
              <caption class="unseen">{say.today}</caption>
              <thead>
                <tr>
                  <th scope="col">{say.program}</th>
                  <th scope="col">{say.offered}</th>
                  <th scope="col">{say.answered}</th>
                  <th scope="col">{say.abandoned}</th>
                  <th scope="col">{say.blocked}</th>
                  <th scope="col">{say.attempts}</th>
                  <th scope="col">{say.level}</th>
                  <th scope="col">
                    {say.asa}
                    <small class="below">p50 · p90 · p99</small>
                  </th>
                </tr>
              </thead>
              <tbody>
                {rows.map((row) => (
                  <Row key={row.program ?? ""} row={row} />
                ))}
              </tbody>
            </table>
          </div>
          <dl class="meanings soft small">
            {COLUMNS.map((name) => (
              <div key={name}>
                <dt>{say[name]}</dt>
                <dd>{say.columns[name]}</dd>
              </div>
            ))}
            <div>
              <dt>{say.level}</dt>
              <dd>{language.value === "en" ? formula.en : formula.zh}</dd>
            </div>
          </dl>
          <Endings today={board.today} />
        </>
      )}
    </section>
  );
}

function Row({ row }: { row: TodayView }) {
  const say = words.value;
  const answer = row.answer_seconds;
  const spread = [answer.p50, answer.p90, answer.p99].map(seconds).join(" · ");
  return (
    <tr class={row.program === null ? "whole" : undefined}>
      <th scope="row">{row.program === null ? say.all : programTitle(row.program)}</th>
      <td>
        {row.offered}
        {row.under_way > 0 && <small class="soft below">{say.underWay(row.under_way)}</small>}
      </td>
      <td>{row.answered}</td>
      <td>{row.abandoned}</td>
      <td>{row.blocked}</td>
      <td>{row.attempts}</td>
      <td>
        {percent(row.service_level.percent)}{" "}
        <small class="soft">
          {row.service_level.answered_in_time}/{row.service_level.counted}
        </small>
      </td>
      <td>
        {seconds(answer.mean)}
        <small class="soft below">{spread}</small>
      </td>
    </tr>
  );
}

const DROPS: readonly VerdictKind[] = ["system_drop", "suspected_drop", "indeterminate"];

function Endings({ today }: { today: TodayView }) {
  const say = words.value;
  const told = (Object.entries(today.verdicts) as [VerdictKind, number][]).filter(
    ([, count]) => count > 0,
  );
  if (told.length === 0) return null;
  return (
    <section class="card endings-card" aria-labelledby="drops">
      <h3 id="drops">{say.drops}</h3>
      <dl class="endings">
        {told.map(([kind, count]) => (
          <div key={kind} class={DROPS.includes(kind) ? "ending drop" : "ending"}>
            <dt>{enumerations.value.verdict[kind]}</dt>
            <dd>{count}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

export function percent(value: number | null): string {
  return value === null ? "–" : `${value.toFixed(1)} %`;
}

function seconds(value: number | null): string {
  return value === null ? "–" : length(Math.round(value));
}
