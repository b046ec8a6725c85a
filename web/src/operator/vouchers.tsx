/** Issuing vouchers. Their codes are in the answer alone and in the file that is saved from it. */
import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import type { IssuedVouchers, ProgramView } from "../shared/api/schema.ts";
import { newIntent } from "../shared/api/client.ts";
import { Button } from "../shared/components/button.tsx";
import { Choice, Field } from "../shared/components/field.tsx";
import { Fault, Note } from "../shared/components/showing.tsx";
import { language } from "../shared/language.ts";
import { inWords } from "../shared/refusals.ts";
import { api } from "../staff/account.ts";
import { words } from "./words.ts";

const MOST = 1000;
const IN_CHINA = "T00:00:00+08:00";

export function Vouchers() {
  const say = words.value;
  const programs = useSignal<readonly ProgramView[]>([]);
  const program = useSignal<string | null>(null);
  const count = useSignal("10");
  const until = useSignal("");
  const issued = useSignal<IssuedVouchers | null>(null);
  const fault = useSignal<string | null>(null);
  useEffect(() => {
    void (async () => {
      try {
        const told = await api("GET /v1/programs");
        programs.value = told.items.filter((one) => one.needs_voucher);
        program.value ??= programs.value[0]?.id ?? null;
      } catch (refused) {
        fault.value = inWords(refused);
      }
    })();
  }, []);
  const intent = useMemo(newIntent, [program.value, count.value, until.value, issued.value]);
  const wanted = Number(count.value);
  const isReady =
    program.value !== null && until.value !== "" && Number.isInteger(wanted) && wanted > 0;
  const issue = async (): Promise<void> => {
    if (program.value === null) return;
    try {
      fault.value = null;
      issued.value = await api("POST /v1/vouchers", {
        body: { program: program.value, count: wanted, valid_until: until.value + IN_CHINA },
        intent,
      });
    } catch (refused) {
      fault.value = inWords(refused);
    }
  };
  return (
    <section class="card stack tight narrow-card" aria-labelledby="vouchers">
      <h1 id="vouchers">{say.vouchersTitle}</h1>
      <p class="soft">{say.vouchersText}</p>
      <Choice
        legend={say.program}
        layout="chips"
        chosen={program.value}
        options={programs.value.map((one) => ({
          value: one.id,
          label: language.value === "en" ? one.name.en : one.name.zh,
        }))}
        onChoose={(chosen) => (program.value = chosen)}
      />
      <Field
        label={say.count}
        type="number"
        inputMode="numeric"
        value={count}
        fault={wanted > MOST ? `≤ ${MOST}` : null}
      />
      <Field label={say.validUntil} type="date" value={until} />
      <Fault text={fault.value} />
      <Button look="main" disabled={!isReady || wanted > MOST} onPress={issue}>
        {say.issue}
      </Button>
      {issued.value && <Issued issued={issued.value} />}
    </section>
  );
}

function Issued({ issued }: { issued: IssuedVouchers }) {
  const say = words.value;
  const save = (): void => {
    const lines = issued.vouchers.map((one) => `${one.code},${issued.valid_until}`);
    const text = `\ufeffcode,valid_until\r\n${lines.join("\r\n")}\r\n`;
    const address = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    const link = document.createElement("a");
    link.href = address;
    link.download = `${issued.program}.csv`;
    link.click();
    URL.revokeObjectURL(address);
  };
  return (
    <div class="stack tight" role="status">
      <Note tone="good" icon="ticket" title={say.issued(issued.vouchers.length)}>
        {say.shownOnce}
      </Note>
      <Button onPress={save}>{say.save}</Button>
      <ol class="codes">
        {issued.vouchers.map((one) => (
          <li key={one.id}>
            <code>{one.code}</code>
          </li>
        ))}
      </ol>
    </div>
  );
}
