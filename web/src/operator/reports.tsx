/** Reports of a month, to be downloaded. */
import { useSignal } from "@preact/signals";
import { addressOf } from "../shared/api/client.ts";
import { Field } from "../shared/components/field.tsx";
import { serverNow } from "../shared/clock.ts";
import { words } from "./words.ts";

const FORMATS = ["xlsx", "csv", "json"] as const;

export function Reports() {
  const say = words.value;
  const month = useSignal(monthBefore(serverNow()));
  const reports = [
    ["/v1/reports/settlement", say.settlement],
    ["/v1/reports/calls", say.callFigures],
  ] as const;
  return (
    <section class="card stack tight narrow-card" aria-labelledby="reports">
      <h1 id="reports">{say.reportsTitle}</h1>
      <p class="soft">{say.reportsText}</p>
      <Field label={say.month} type="month" value={month} />
      {reports.map(([address, name]) => (
        <div key={address} class="row apart">
          <strong>{name}</strong>
          <span class="row">
            {FORMATS.map((format) => (
              <a
                key={format}
                class="button small"
                href={addressOf(address, undefined, { month: month.value, format })}
                target="_blank"
                rel="noopener"
                download
              >
                {format.toUpperCase()}
                <span class="unseen"> {name}</span>
              </a>
            ))}
          </span>
        </div>
      ))}
    </section>
  );
}

/** The month before the one that `now` is in, as `2030-01`. */
function monthBefore(now: number): string {
  const day = new Date(now);
  const before = new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth() - 1, 1));
  return before.toISOString().slice(0, "2030-01".length);
}
