/** An insurer's list: what it changes first, and then the writing of it. */
import { useSignal } from "@preact/signals";
import type { ImportView } from "../shared/api/schema.ts";
import { Button } from "../shared/components/button.tsx";
import { Field } from "../shared/components/field.tsx";
import { Fault, Note, Pill } from "../shared/components/showing.tsx";
import { api } from "../staff/account.ts";
import { fieldInWords, valueInWords } from "./changes.ts";
import { whyUnread } from "./file-faults.ts";
import { whyRejected } from "./line-faults.ts";
import { words } from "./words.ts";

const XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const SHOWN_MOST = 200;

export function Policies() {
  const say = words.value;
  const file = useSignal<File | null>(null);
  const sponsor = useSignal("");
  const partial = useSignal(false);
  const seen = useSignal<ImportView | null>(null);
  const fault = useSignal<string | null>(null);
  const send = async (apply: boolean): Promise<void> => {
    if (file.value === null) return;
    try {
      fault.value = null;
      const type = file.value.name.toLowerCase().endsWith(".xlsx") ? XLSX : "text/csv";
      seen.value = await api.upload("POST /v1/policies/import", file.value, type, {
        apply,
        partial: partial.value,
        ...(sponsor.value === "" ? {} : { sponsor: sponsor.value }),
      });
    } catch (refused) {
      fault.value = whyUnread(refused);
    }
  };
  const mayApply =
    seen.value !== null &&
    !seen.value.applied &&
    seen.value.new + seen.value.changed > 0 &&
    (seen.value.rejected === 0 || partial.value);
  return (
    <section class="stack" aria-labelledby="policies">
      <div class="card stack tight">
        <h1 id="policies">{say.policiesTitle}</h1>
        <p class="soft">{say.policiesText}</p>
        <div class="file">
          <label class="button" for="policy-file">
            {say.file}
          </label>
          <span class="soft">{file.value?.name ?? say.noFile}</span>
          <input
            id="policy-file"
            class="unseen"
            type="file"
            accept=".csv,.xlsx,text/csv"
            onChange={(input) => {
              file.value = input.currentTarget.files?.[0] ?? null;
              seen.value = null;
            }}
          />
        </div>
        <Field label={say.sponsorOptional} value={sponsor} optional autocomplete="off" />
        <label class="row">
          <input
            type="checkbox"
            checked={partial.value}
            onChange={(box) => (partial.value = box.currentTarget.checked)}
          />
          <span>{say.partial}</span>
        </label>
        <Fault text={fault.value} />
        <div class="row">
          <Button disabled={file.value === null} onPress={() => send(false)}>
            {say.look}
          </Button>
          <Button look="main" disabled={!mayApply} onPress={() => send(true)}>
            {say.apply}
          </Button>
        </div>
      </div>
      {seen.value && <Difference seen={seen.value} />}
    </section>
  );
}

function Difference({ seen }: { seen: ImportView }) {
  const say = words.value;
  const figures = [
    [say.lines, seen.lines],
    [say.new, seen.new],
    [say.changed, seen.changed],
    [say.unchanged, seen.unchanged],
    [say.rejected, seen.rejected],
  ] as const;
  return (
    <div class="stack tight" role="status">
      <Note
        tone={seen.applied ? "good" : "blue"}
        icon={seen.applied ? "check" : "note"}
        title={seen.applied ? say.applied : say.dry}
      />
      <dl class="figures">
        {figures.map(([name, value]) => (
          <div key={name} class="card">
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {seen.rejected_lines.length > 0 && (
        <Lines
          title={say.rejected}
          heads={[say.line, say.number, say.why]}
          rows={seen.rejected_lines.map((one) => [
            String(one.line),
            one.number ?? "–",
            whyRejected(one),
          ])}
        />
      )}
      {seen.changed_policies.length > 0 && (
        <Lines
          title={say.changed}
          heads={[say.number, say.field, say.before, say.after]}
          rows={seen.changed_policies.flatMap((policy) =>
            policy.changes.map((change) => [
              policy.number,
              fieldInWords(change.field),
              valueInWords(change.before),
              valueInWords(change.after),
            ]),
          )}
        />
      )}
      {seen.new_policies.length > 0 && (
        <p class="row">
          <strong>{say.new}</strong>
          {seen.new_policies.slice(0, SHOWN_MOST).map((one) => (
            <Pill key={`${one.sponsor}${one.number}`}>{one.number}</Pill>
          ))}
        </p>
      )}
    </div>
  );
}

interface LinesProps {
  readonly title: string;
  readonly heads: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

function Lines({ title, heads, rows }: LinesProps) {
  return (
    <div class="card table-card" tabIndex={0}>
      <table>
        <caption>{title}</caption>
        <thead>
          <tr>
            {heads.map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, SHOWN_MOST).map((row, place) => (
            <tr key={place}>
              {row.map((cell, column) => (
                <td key={column}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
