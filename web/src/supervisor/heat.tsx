/** Half hours by weekdays, as a table that is also a picture. */
import { useSignal } from "@preact/signals";
import type { HalfHourView, HeatView } from "../shared/api/schema.ts";
import { Loading, Unread } from "../shared/components/showing.tsx";
import { inWords } from "../shared/refusals.ts";
import { api } from "../staff/account.ts";
import { useReading } from "../staff/use-reading.ts";
import { percent } from "./wallboard.tsx";
import { words } from "./words.ts";

const SHADES = 5;
const HALF_HOURS = 48;

export function Heat() {
  const say = words.value;
  const heat = useSignal<HeatView | null>(null);
  const reading = useReading(
    async () => {
      heat.value = await api("GET /v1/wallboard/heat");
    },
    [],
    () => false,
  );
  if (heat.value === null && reading.fault.value)
    return <Unread text={inWords(reading.fault.value)} again={() => reading.now()} />;
  if (heat.value === null) return <Loading />;
  const cells = new Map(heat.value.cells.map((cell) => [placeOf(cell), cell]));
  const most = Math.max(1, ...heat.value.cells.map((cell) => cell.offered));
  const hours = openHours(heat.value.cells);
  return (
    <section class="stack tight" aria-labelledby="heat">
      <h1 id="heat">{say.heatTitle}</h1>
      <p class="soft">{say.heatText}</p>
      <div class="card table-card" tabIndex={0}>
        <table class="heat">
          <caption class="unseen">{say.heatTitle}</caption>
          <thead>
            <tr>
              <td />
              {say.days.map((day) => (
                <th key={day} scope="col">
                  {day}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {hours.map((half) => (
              <tr key={half}>
                <th scope="row">{half % 2 === 0 ? timeOf(half) : ""}</th>
                {say.days.map((day, place) => (
                  <Cell
                    key={day}
                    day={day}
                    half={half}
                    cell={cells.get((place + 1) * HALF_HOURS + half)}
                    most={most}
                  />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

interface CellProps {
  readonly day: string;
  readonly half: number;
  readonly cell: HalfHourView | undefined;
  readonly most: number;
}

function Cell({ day, half, cell, most }: CellProps) {
  const say = words.value;
  if (cell === undefined) return <td />;
  const shade = Math.ceil((cell.offered / most) * SHADES);
  const told = say.heatCell(day, timeOf(half), cell.offered, percent(cell.percent));
  return (
    <td class={`shade-${shade}`} title={told} aria-label={told}>
      {cell.offered}
    </td>
  );
}

const placeOf = (cell: HalfHourView): number => cell.weekday * HALF_HOURS + cell.half_hour;

const timeOf = (half: number): string =>
  `${String(Math.floor(half / 2)).padStart(2, "0")}:${half % 2 === 0 ? "00" : "30"}`;

/** From the first to the last half hour that saw a call, whole hours; office hours without any. */
function openHours(cells: readonly HalfHourView[]): number[] {
  const halves = cells.map((cell) => cell.half_hour);
  const first = halves.length ? Math.min(...halves) : 20;
  const last = halves.length ? Math.max(...halves) : 43;
  const start = first - (first % 2);
  return Array.from({ length: (last | 1) - start + 1 }, (_, place) => start + place);
}
