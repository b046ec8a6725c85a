/** Everything about one order: its calls with their evidence, its claims, and who looked. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { CaseView, EvidenceView } from "../shared/api/schema.ts";
import { Button } from "../shared/components/button.tsx";
import { Dialog } from "../shared/components/dialog.tsx";
import { Field } from "../shared/components/field.tsx";
import { Fault, Loading, Pill, Unread } from "../shared/components/showing.tsx";
import { inWords } from "../shared/refusals.ts";
import { length, nearTime, shortNumber } from "../shared/times.ts";
import { api } from "../staff/account.ts";
import { programTitle } from "../staff/programs.ts";
import { Evidence } from "./evidence.tsx";
import { enumerations } from "../staff/enumerations.ts";
import { deedInWords } from "./books.ts";
import { words } from "./words.ts";

export function OrderCase({ order }: { order: string }) {
  const found = useSignal<CaseView | null>(null);
  const fault = useSignal<string | null>(null);
  const call = useSignal<string | null>(null);
  // Reading a case is on record: once for each look at it, and never by a timer.
  const read = async (): Promise<void> => {
    try {
      fault.value = null;
      found.value = await api("GET /v1/staff/orders/{order}", { path: { order } });
      call.value = found.value.calls.at(-1)?.id ?? null;
    } catch (refused) {
      fault.value = inWords(refused);
    }
  };
  useEffect(() => void read(), [order]);
  if (found.value === null && fault.value) return <Unread text={fault.value} again={read} />;
  if (found.value === null) return <Loading />;
  return (
    <article class="case">
      <div class="case-columns">
        <div class="stack">
          <Calls shown={found.value} picked={call.value} onPick={(id) => (call.value = id)} />
          {call.value && <OneCall key={call.value} call={call.value} />}
        </div>
        <div class="stack">
          <About shown={found.value} />
          <Claims shown={found.value} />
          <Deeds shown={found.value} />
        </div>
      </div>
    </article>
  );
}

function About({ shown }: { shown: CaseView }) {
  const say = words.value;
  const order = shown.order;
  return (
    <section class="card stack tight" aria-labelledby="order">
      <h1 id="order">{say.orderTitle}</h1>
      <dl class="facts">
        <dt>{say.program}</dt>
        <dd>{programTitle(order.program)}</dd>
        <dt>{say.state}</dt>
        <dd>{say.orderState[order.state]}</dd>
        <dt>{say.opened}</dt>
        <dd>{nearTime(order.opened_at)}</dd>
        <dt>{say.role.counselor}</dt>
        <dd>{order.counselor_name ?? "–"}</dd>
        <dt>{say.talked}</dt>
        <dd>{length(order.talked_seconds)}</dd>
        <dt>{say.voucher}</dt>
        <dd>
          <code>{order.voucher ?? "–"}</code>
        </dd>
      </dl>
      <Number caller={shown.caller} masked={shown.phone} />
    </section>
  );
}

/** The masked number; the whole one for a reason that is kept. */
function Number({ caller, masked }: { caller: string; masked: string }) {
  const say = words.value;
  const asking = useSignal(false);
  const reason = useSignal("");
  const whole = useSignal<string | null>(null);
  const fault = useSignal<string | null>(null);
  const reveal = async (): Promise<void> => {
    try {
      fault.value = null;
      const told = await api("POST /v1/staff/callers/{caller}/reveal", {
        path: { caller },
        body: { reason: reason.value.trim() },
      });
      whole.value = told.phone;
      asking.value = false;
    } catch (refused) {
      fault.value = inWords(refused);
    }
  };
  return (
    <div class="row apart">
      <span>
        {say.caller} <strong class="number">{shortNumber(whole.value ?? masked)}</strong>
      </span>
      {whole.value === null && (
        <Button id="reveal" look="quiet" onPress={() => void (asking.value = true)}>
          {say.reveal}
        </Button>
      )}
      {asking.value && (
        <Dialog alert title={say.revealTitle} onClose={() => (asking.value = false)}>
          <p>{say.revealText}</p>
          <Field label={say.reason} value={reason} maxLength={200} first />
          <Fault text={fault.value} />
          <div class="actions">
            <Button onPress={() => void (asking.value = false)}>{say.cancel}</Button>
            <Button
              id="reveal-yes"
              look="main"
              disabled={reason.value.trim() === ""}
              onPress={reveal}
            >
              {say.show}
            </Button>
          </div>
        </Dialog>
      )}
    </div>
  );
}

interface CallsProps {
  readonly shown: CaseView;
  readonly picked: string | null;
  readonly onPick: (call: string) => void;
}

function Calls({ shown, picked, onPick }: CallsProps) {
  const say = words.value;
  return (
    <section class="card stack tight" aria-labelledby="calls">
      <h2 id="calls">{say.calls}</h2>
      {shown.calls.length === 0 && <p class="soft">{say.noCall}</p>}
      <div class="row">
        {shown.calls.map((call) => (
          <button
            key={call.id}
            type="button"
            class="button small"
            aria-pressed={call.id === picked}
            onClick={() => onPick(call.id)}
          >
            {nearTime(call.started_at)} ·{" "}
            {call.talked_seconds > 0 ? length(call.talked_seconds) : "–"}
            {call.verdict && ` · ${enumerations.value.verdict[call.verdict.kind]}`}
          </button>
        ))}
      </div>
    </section>
  );
}

function OneCall({ call }: { call: string }) {
  const evidence = useSignal<EvidenceView | null>(null);
  const fault = useSignal<string | null>(null);
  const read = async (): Promise<void> => {
    try {
      fault.value = null;
      evidence.value = await api("GET /v1/calls/{call}", { path: { call } });
    } catch (refused) {
      fault.value = inWords(refused);
    }
  };
  useEffect(() => void read(), [call]);
  if (fault.value) return <Unread text={fault.value} again={read} />;
  return evidence.value ? <Evidence evidence={evidence.value} /> : <Loading />;
}

function Claims({ shown }: { shown: CaseView }) {
  const say = words.value;
  if (shown.claims.length === 0) return null;
  return (
    <section class="card stack tight" aria-labelledby="claims">
      <h2 id="claims">{say.claims}</h2>
      <ul class="plain-lines">
        {shown.claims.map((claim) => (
          <li key={claim.id} class="row apart">
            <a href={`/support/claims/${claim.id}`}>{nearTime(claim.opened_at)}</a>
            <Pill tone={claim.state === "open" ? "blue" : "calm"}>
              {say.claimState[claim.state]}
            </Pill>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Deeds({ shown }: { shown: CaseView }) {
  const say = words.value;
  return (
    <section class="card stack tight" aria-labelledby="deeds">
      <h2 id="deeds">{say.audit}</h2>
      {shown.deeds.length === 0 && <p class="soft">{say.auditNone}</p>}
      <ol class="plain-lines">
        {shown.deeds.map((deed) => (
          <li key={`${deed.at}${deed.action}`}>
            <time>{nearTime(deed.at)}</time> {deedInWords(deed.action)}{" "}
            <span class="soft">{deed.name ?? deed.staff}</span>
            {deed.reason && <p>{deed.reason}</p>}
          </li>
        ))}
      </ol>
    </section>
  );
}
