/** A claim on one screen: the lines, the verdict, the books, the earlier calls, and the decision. */
import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { ClaimCaseView, Remedy } from "../shared/api/schema.ts";
import { newIntent } from "../shared/api/client.ts";
import { Button } from "../shared/components/button.tsx";
import { Choice, TextArea } from "../shared/components/field.tsx";
import { Fault, Freshness, Loading, Note, Pill, Unread } from "../shared/components/showing.tsx";
import { inWords } from "../shared/refusals.ts";
import { length, nearTime } from "../shared/times.ts";
import { api, live } from "../staff/account.ts";
import { useReading } from "../staff/use-reading.ts";
import { Book, Evidence } from "./evidence.tsx";
import { Deadline } from "./queue.tsx";
import { reasonInWords } from "./reasons.ts";
import { enumerations } from "../staff/enumerations.ts";
import { words } from "./words.ts";

const REMEDIES: readonly Remedy[] = ["resume", "reissue", "reject"];
const REASON_LENGTH = 200;

export function ClaimCase({ claim }: { claim: string }) {
  const say = words.value;
  const found = useSignal<ClaimCaseView | null>(null);
  const reading = useReading(
    async () => {
      found.value = await api("GET /v1/claims/{claim}", { path: { claim } });
    },
    [claim],
    (event) => found.peek() === null || event.order === found.peek()?.order,
  );
  if (found.value === null && reading.fault.value)
    return <Unread text={inWords(reading.fault.value)} again={() => reading.now()} />;
  if (found.value === null) return <Loading />;
  const shown = found.value;
  return (
    <article class="case">
      <Freshness reading={reading} live={live} />
      <header class="row apart">
        <h1>{say.case}</h1>
        <span class="row">
          <Pill tone={shown.state === "open" ? "blue" : "calm"}>{say.claimState[shown.state]}</Pill>
          <Deadline claim={shown} />
          <a class="button small" href={`/support/orders/${shown.order}`}>
            {say.order}
          </a>
        </span>
      </header>
      <div class="case-columns">
        <div class="stack">
          {shown.evidence ? (
            <Evidence evidence={shown.evidence} />
          ) : (
            <p class="card soft">{say.noCall}</p>
          )}
          <Book title={say.voucherBook} entries={shown.voucher_ledger} />
          <Book title={say.talkBook} entries={shown.talk_ledger} />
        </div>
        <div class="stack">
          <Written shown={shown} />
          {shown.state === "open" ? (
            <Decision shown={shown} onDecided={() => reading.now()} />
          ) : (
            <Decided shown={shown} />
          )}
          <Earlier shown={shown} />
        </div>
      </div>
    </article>
  );
}

function Written({ shown }: { shown: ClaimCaseView }) {
  const say = words.value;
  const grounds = shown.grounds.map((ground) =>
    ground === "review" && shown.review ? say.review[shown.review] : say.ground[ground],
  );
  return (
    <section class="card stack tight" aria-labelledby="written">
      <h2 id="written">{say.why}</h2>
      <p>{grounds.join(" · ")}</p>
      {shown.written.map((one) => (
        <blockquote key={one.at}>
          {one.reason && <p>{one.reason}</p>}
          {one.text && <p class="said">{one.text}</p>}
          <footer class="soft">{nearTime(one.at)}</footer>
        </blockquote>
      ))}
    </section>
  );
}

function Decision({ shown, onDecided }: { shown: ClaimCaseView; onDecided: () => unknown }) {
  const say = words.value;
  const proposal = shown.proposal;
  const chosen = useSignal<Remedy | null>(null);
  const reason = useSignal("");
  const fault = useSignal<string | null>(null);
  const intent = useMemo(newIntent, [chosen.value, reason.value]);
  const decide = async (): Promise<void> => {
    if (chosen.value === null) return;
    try {
      fault.value = null;
      await api("POST /v1/claims/{claim}/decision", {
        path: { claim: shown.id },
        body: { decision: chosen.value, reason: reason.value.trim() },
        intent,
      });
      await onDecided();
    } catch (refused) {
      fault.value = inWords(refused);
    }
  };
  return (
    <section class="card stack tight" aria-labelledby="decide">
      <h2 id="decide">{say.decide}</h2>
      {proposal && (
        <Note tone="blue" icon="note" title={`${say.proposal}: ${say.remedy[proposal.decision]}`}>
          <ul class="reasons">
            {proposal.reasons.map((one) => (
              <li key={one}>{reasonInWords(one)}</li>
            ))}
          </ul>
        </Note>
      )}
      <Choice
        legend={say.decision}
        hideLegend
        chosen={chosen.value}
        options={REMEDIES.map((one) => ({
          value: one,
          label: say.remedy[one],
          note: say.remedyText[one],
        }))}
        onChoose={(value) => (chosen.value = value as Remedy)}
      />
      <TextArea
        label={say.reason}
        hint={say.decideHint}
        value={reason}
        rows={3}
        maxLength={REASON_LENGTH}
      />
      <Fault text={fault.value} />
      <Button
        id="decide-yes"
        look="main"
        disabled={chosen.value === null || reason.value.trim() === ""}
        onPress={decide}
      >
        {say.decideYes}
      </Button>
    </section>
  );
}

function Decided({ shown }: { shown: ClaimCaseView }) {
  const say = words.value;
  const told = [shown.decision, shown.appeal_decision].filter((one) => one !== null);
  return (
    <section class="card stack tight" aria-labelledby="decided">
      <h2 id="decided">{say.decided}</h2>
      {shown.state === "appealed" && <Pill tone="warm">{say.appealed}</Pill>}
      {told.map((one) => (
        <div key={one.decided_at}>
          <strong>{say.decidedText(say.remedy[one.decision])}</strong>
          <p>{one.reason}</p>
          <p class="soft">{nearTime(one.decided_at)}</p>
        </div>
      ))}
    </section>
  );
}

function Earlier({ shown }: { shown: ClaimCaseView }) {
  const say = words.value;
  return (
    <section class="card stack tight" aria-labelledby="earlier">
      <h2 id="earlier">{say.earlier}</h2>
      {shown.earlier_calls.length === 0 && <p class="soft">{say.earlierNone}</p>}
      <ul class="plain-lines">
        {shown.earlier_calls.map((call) => (
          <li key={call.id} class="row apart">
            <a href={`/support/orders/${call.order}`}>{nearTime(call.started_at)}</a>
            <span>{call.talked_seconds > 0 ? length(call.talked_seconds) : "–"}</span>
            <span class="soft">
              {call.verdict ? enumerations.value.verdict[call.verdict.kind] : ""}
              {call.claim_decision && ` · ${say.remedy[call.claim_decision]}`}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
