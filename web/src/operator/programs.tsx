/** The programs on offer with their files, and a check of one that is still to be installed. */
import { useSignal } from "@preact/signals";
import type { FaultView, ProgramFileView } from "../shared/api/schema.ts";
import { Button } from "../shared/components/button.tsx";
import { TextArea } from "../shared/components/field.tsx";
import { Fault, Loading, Note, Unread } from "../shared/components/showing.tsx";
import { inWords } from "../shared/refusals.ts";
import { api } from "../staff/account.ts";
import { useReading } from "../staff/use-reading.ts";
import { words } from "./words.ts";

const MOST = 100;

export function Programs() {
  const say = words.value;
  const programs = useSignal<readonly ProgramFileView[] | null>(null);
  const reading = useReading(
    async () => {
      const told = await api("GET /v1/staff/programs", { query: { limit: MOST } });
      programs.value = told.items;
    },
    [],
    () => false,
  );
  if (programs.value === null && reading.fault.value)
    return <Unread text={inWords(reading.fault.value)} again={() => reading.now()} />;
  if (programs.value === null) return <Loading />;
  return (
    <div class="stack">
      <section class="stack tight" aria-labelledby="programs">
        <h1 id="programs">{say.programsTitle}</h1>
        <p class="soft">{say.programsText}</p>
        {programs.value.map((program) => (
          <details key={program.id} class="card">
            <summary>
              <strong>{program.id}</strong>{" "}
              <span class="soft">
                {say.version} {program.version} · {say.sponsor} {program.sponsor}
              </span>
            </summary>
            <pre tabIndex={0}>{program.toml}</pre>
          </details>
        ))}
      </section>
      <Check />
    </div>
  );
}

function Check() {
  const say = words.value;
  const toml = useSignal("");
  const faults = useSignal<readonly FaultView[] | null>(null);
  const refused = useSignal<string | null>(null);
  const check = async (): Promise<void> => {
    try {
      refused.value = null;
      const told = await api("POST /v1/staff/programs/check", { body: { toml: toml.value } });
      faults.value = told.faults;
    } catch (fault) {
      refused.value = inWords(fault);
    }
  };
  return (
    <section class="card stack tight" aria-labelledby="check">
      <h2 id="check">{say.checkTitle}</h2>
      <p class="soft">{say.checkText}</p>
      <TextArea
        id="toml"
        label={say.toml}
        value={toml}
        rows={10}
        onInput={() => void (faults.value = null)}
      />
      <Fault text={refused.value} />
      {faults.value?.length === 0 && <Note tone="good" icon="check" title={say.usable} />}
      {faults.value !== null && faults.value.length > 0 && (
        <ul class="faults" role="alert">
          {faults.value.map((fault) => (
            <li key={`${fault.line}${fault.section}${fault.key}${fault.message}`}>
              <strong>{say.faultAt(fault.line)}</strong>{" "}
              {fault.section && <code>{`[${fault.section}] ${fault.key}`}</code>} {fault.message}
            </li>
          ))}
        </ul>
      )}
      <Button look="main" disabled={toml.value.trim() === ""} onPress={check}>
        {say.check}
      </Button>
    </section>
  );
}
