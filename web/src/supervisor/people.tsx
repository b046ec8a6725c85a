/** Every counselor, what they do now, and what they talked today. */
import { useSignal } from "@preact/signals";
import type { Activity, RosterView } from "../shared/api/schema.ts";
import { Button } from "../shared/components/button.tsx";
import { Choice } from "../shared/components/field.tsx";
import { Fault, Loading, Pill, Unread, type Tone } from "../shared/components/showing.tsx";
import { inWords } from "../shared/refusals.ts";
import { clockSeconds, length } from "../shared/times.ts";
import { api } from "../staff/account.ts";
import { usePages } from "../staff/use-pages.ts";
import { EndWrapUp } from "./wrap-up.tsx";
import { words } from "./words.ts";

const PAGE = 100;
const TONES: Record<Activity, Tone> = {
  free: "good",
  engaged: "blue",
  wrap_up: "warm",
  cooldown: "warm",
  break: "calm",
  offline: "calm",
};

const EVERYBODY = "everybody";
const ACTIVITIES: readonly Activity[] = [
  "free",
  "engaged",
  "wrap_up",
  "cooldown",
  "break",
  "offline",
];

export function People() {
  const say = words.value;
  const shown = useSignal<Activity | null>(null);
  return (
    <section class="stack tight" aria-labelledby="people">
      <h1 id="people">{say.people}</h1>
      <Choice
        legend={say.state}
        hideLegend
        layout="chips"
        options={[
          { value: EVERYBODY, label: say.everybody },
          ...ACTIVITIES.map((one) => ({ value: one, label: say.activity[one] })),
        ]}
        chosen={shown.value ?? EVERYBODY}
        onChoose={(one) => (shown.value = ACTIVITIES.find((known) => known === one) ?? null)}
      />
      <Roster key={shown.value} activity={shown.value} />
    </section>
  );
}

function Roster({ activity }: { activity: Activity | null }) {
  const say = words.value;
  const doing = activity === null ? {} : { activity };
  const asked = useSignal<RosterView | null>(null);
  const { items, hasMore, more, reading } = usePages(
    (after) => api("GET /v1/staff/counselors", { query: { limit: PAGE, ...doing, ...after } }),
    [activity],
  );
  if (items === null && reading.fault.value)
    return <Unread text={inWords(reading.fault.value)} again={() => reading.now()} />;
  if (items === null) return <Loading />;
  if (items.length === 0)
    return <p class="soft">{activity === null ? say.noPeople : say.nobodyDoes}</p>;
  return (
    <>
      <Fault text={reading.fault.value ? inWords(reading.fault.value) : null} />
      <div class="card table-card" tabIndex={0}>
        <table>
          <caption class="unseen">{say.people}</caption>
          <thead>
            <tr>
              <th scope="col">{say.name}</th>
              <th scope="col">{say.state}</th>
              <th scope="col">{say.callsToday}</th>
              <th scope="col">{say.talkedToday}</th>
            </tr>
          </thead>
          <tbody>
            {items.map((one) => (
              <tr key={one.id}>
                <th scope="row">{one.name}</th>
                <td>
                  <Pill tone={TONES[one.activity]}>
                    {say.activity[one.activity]}
                    {one.activity === "wrap_up" && one.wrap_up_until !== null && (
                      <small> · {say.until(clockSeconds(one.wrap_up_until))}</small>
                    )}
                  </Pill>{" "}
                  {one.activity === "wrap_up" && (
                    <Button look="quiet" onPress={() => void (asked.value = one)}>
                      {say.endWrapUp}
                      <span class="unseen"> {one.name}</span>
                    </Button>
                  )}
                  {one.not_showing_since !== null && (
                    <Pill tone="bad">
                      {say.notShowing} · {say.since(clockSeconds(one.not_showing_since))}
                    </Pill>
                  )}
                </td>
                <td>{one.calls_today}</td>
                <td>{one.talked_seconds_today > 0 ? length(one.talked_seconds_today) : "–"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {asked.value && (
        <EndWrapUp
          who={asked.value}
          onDone={() => {
            asked.value = null;
            void reading.now();
          }}
        />
      )}
      {hasMore && <Button onPress={more}>{say.more}</Button>}
    </>
  );
}
