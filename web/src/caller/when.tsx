/** Choosing when to talk, where a service takes appointments: at once, or at a time of one's own. */
import { useSignal, type Signal } from "@preact/signals";
import type { AppointmentsView, ProgramView } from "../shared/api/schema.ts";
import { serverNow } from "../shared/clock.ts";
import { Choice, Field } from "../shared/components/field.tsx";
import { span } from "../shared/times.ts";
import { words } from "./words.ts";

/** Times are those of China, whatever this phone's own zone is. */
const IN_CHINA = "+08:00";
const CHINA_MILLISECONDS = 8 * 3_600_000;
const NOW = "now";
const LATER = "later";

/** What was typed, as the service wants it; null for a call at once, "" while it is missing. */
export function startsAt(when: string | null): string | null {
  return when ? `${when}:00${IN_CHINA}` : when;
}

interface Props {
  readonly program: ProgramView;
  /** null: at once; else what stands in the field. */
  readonly when: Signal<string | null>;
  readonly fault: string | null;
  readonly onChange: () => void;
}

export function When({ program, when, fault, onChange }: Props) {
  const say = words.value;
  const typed = useSignal(when.value ?? "");
  const terms = program.appointments;
  if (!terms) return null;
  return (
    <section class="stack">
      <Choice
        legend={say.whenTitle}
        layout="chips"
        options={[
          { value: NOW, label: say.whenNow },
          { value: LATER, label: say.whenLater },
        ]}
        chosen={when.value === null ? NOW : LATER}
        onChoose={(chosen) => {
          when.value = chosen === NOW ? null : typed.value;
          onChange();
        }}
      />
      {when.value !== null && (
        <Field
          id="starts-at"
          type="datetime-local"
          label={say.whenLabel}
          hint={hintOf(terms)}
          fault={fault}
          value={typed}
          min={inChina(0)}
          max={inChina(terms.book_ahead_seconds)}
          onInput={(value) => {
            when.value = value;
            onChange();
          }}
        />
      )}
    </section>
  );
}

function hintOf(terms: AppointmentsView): string {
  const say = words.value;
  const free = span(terms.cancel_free_seconds);
  const costs = terms.no_show_counts ? say.whenCosts(free) : say.whenFree(free);
  return say.whenHint(span(terms.book_ahead_seconds)) + costs;
}

/** `2026-11-22T14:05`, so many seconds from now. */
function inChina(seconds: number): string {
  const at = serverNow() + seconds * 1000 + CHINA_MILLISECONDS;
  return new Date(at).toISOString().slice(0, 16);
}
