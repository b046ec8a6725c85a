/** What the doctor finds, the worst first. */
import { useSignal } from "@preact/signals";
import type { Health, HealthView } from "../shared/api/schema.ts";
import { Button } from "../shared/components/button.tsx";
import { Fault, Loading, Pill, Unread, type Tone } from "../shared/components/showing.tsx";
import { inWords } from "../shared/refusals.ts";
import { clockSeconds } from "../shared/times.ts";
import { shared } from "../shared/words.ts";
import { api } from "../staff/account.ts";
import { useReading } from "../staff/use-reading.ts";
import { findingInWords } from "./findings.ts";
import { words } from "./words.ts";

const TONES: Record<Health, Tone> = { good: "good", warning: "warm", wrong: "bad" };
const WORST_FIRST: readonly Health[] = ["wrong", "warning", "good"];

export function HealthPage() {
  const say = words.value;
  const health = useSignal<HealthView | null>(null);
  const reading = useReading(
    async () => {
      health.value = await api("GET /v1/staff/health");
    },
    [],
    () => false,
  );
  if (health.value === null && reading.fault.value)
    return <Unread text={inWords(reading.fault.value)} again={() => reading.now()} />;
  if (health.value === null) return <Loading />;
  const found = [...health.value.findings].sort(
    (one, other) => WORST_FIRST.indexOf(one.health) - WORST_FIRST.indexOf(other.health),
  );
  return (
    <section class="stack tight" aria-labelledby="health">
      <header class="row apart">
        <h1 id="health">
          {say.healthTitle}{" "}
          <Pill tone={TONES[health.value.health]}>{say.state[health.value.health]}</Pill>
        </h1>
        <Button onPress={() => reading.now()}>{say.again}</Button>
      </header>
      <p class="soft">
        {say.healthText} {shared.value.asOf(clockSeconds(health.value.as_of))}
      </p>
      <Fault text={reading.fault.value ? inWords(reading.fault.value) : null} />
      <ul class="plain-lines">
        {found.map((one, place) => {
          const [subject, sentence] = findingInWords(one);
          return (
            <li key={`${one.subject}${place}`} class="card finding" data-finding={one.code}>
              <strong>{subject}</strong>
              <span>{sentence}</span>
              <Pill tone={TONES[one.health]}>{say.state[one.health]}</Pill>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
