/** What this counselor did today. */
import { useSignal } from "@preact/signals";
import type { DayCallView, DayView } from "../shared/api/schema.ts";
import { Fault, Loading, Pill, Unread } from "../shared/components/showing.tsx";
import { inWords } from "../shared/refusals.ts";
import { clockTime, digits, length } from "../shared/times.ts";
import { api } from "../staff/account.ts";
import { useReading } from "../staff/use-reading.ts";
import { programName } from "./me.ts";
import { words } from "./words.ts";

export function MyDay({ heading: Heading = "h1" }: { heading?: "h1" | "h2" }) {
  const say = words.value;
  const day = useSignal<DayView | null>(null);
  const reading = useReading(async () => {
    day.value = await api("GET /v1/me/day");
  }, []);
  if (day.value === null && reading.fault.value)
    return <Unread text={inWords(reading.fault.value)} again={() => reading.now()} />;
  if (day.value === null) return <Loading />;
  const figures = [
    [say.offered, day.value.offered],
    [say.accepted, day.value.connected],
    [say.declined, day.value.declined],
    [say.missed, day.value.missed],
    [say.withdrawn, day.value.withdrawn],
    [say.talked, digits(day.value.talked_seconds)],
  ] as const;
  return (
    <div class="stack">
      <Heading>{say.dayTitle}</Heading>
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

function Calls({ calls }: { calls: readonly DayCallView[] }) {
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
                <time>{clockTime(call.connected_at ?? call.offered_at)}</time>
              </td>
              <td>{programName(call.program)}</td>
              <td class="whole">{call.talked_seconds > 0 ? length(call.talked_seconds) : "–"}</td>
              <td>
                {call.became === "connected" && call.verdict
                  ? say.ended[call.verdict]
                  : say.became[call.became]}
              </td>
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
