/** What this counselor did today. */
import { useSignal } from "@preact/signals";
import type { Day, DayCall } from "../shared/api/wanted.ts";
import { Fault, Loading, Pill, Unread } from "../shared/components/showing.tsx";
import { inWords } from "../shared/refusals.ts";
import { clockTime, length } from "../shared/times.ts";
import { api } from "../staff/account.ts";
import { useReading } from "../staff/use-reading.ts";
import { ifKnown, programName } from "./me.ts";
import { words } from "./words.ts";

export function MyDay() {
  const say = words.value;
  const day = useSignal<Day | null | undefined>(undefined);
  const reading = useReading(async () => {
    day.value = await ifKnown(api.wanted<Day>("GET", "/v1/me/day"));
  }, []);
  if (day.value === undefined && reading.fault.value)
    return <Unread text={inWords(reading.fault.value)} again={() => reading.now()} />;
  if (day.value === undefined) return <Loading />;
  if (day.value === null) return <p class="card soft">{say.dayMissing}</p>;
  const figures = [
    [say.offered, day.value.offered],
    [say.accepted, day.value.accepted],
    [say.declined, day.value.declined],
    [say.missed, day.value.missed],
    [say.talked, length(day.value.talked_seconds)],
  ] as const;
  return (
    <div class="stack">
      <h1>{say.dayTitle}</h1>
      <Fault text={reading.fault.value ? inWords(reading.fault.value) : null} />
      <dl class="figures">
        {figures.map(([name, value]) => (
          <div key={name} class="card">
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {day.value.calls.length === 0 ? (
        <p class="soft">{say.dayNone}</p>
      ) : (
        <Calls calls={day.value.calls} />
      )}
    </div>
  );
}

function Calls({ calls }: { calls: readonly DayCall[] }) {
  const say = words.value;
  return (
    <div class="card table-card" tabIndex={0}>
      <table>
        <caption class="unseen">{say.dayTitle}</caption>
        <thead>
          <tr>
            <th scope="col">{say.time}</th>
            <th scope="col">{say.service}</th>
            <th scope="col">{say.length}</th>
            <th scope="col">{say.how}</th>
            <th scope="col">{say.notesTitle}</th>
          </tr>
        </thead>
        <tbody>
          {calls.map((call) => (
            <tr key={call.id}>
              <td>
                <time>
                  {clockTime(call.connected_at ?? call.offered_at ?? call.ended_at ?? "")}
                </time>
              </td>
              <td>{programName(call.program)}</td>
              <td>{call.talked_seconds > 0 ? length(call.talked_seconds) : "–"}</td>
              <td>{call.ended ? (say.ended[call.ended] ?? call.ended) : "–"}</td>
              <td>
                <Pill tone={call.notes === "owed" ? "warm" : "calm"}>
                  {say.notesState[call.notes]}
                </Pill>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
