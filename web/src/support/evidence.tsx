/** The evidence about one call: its lines, the verdict and why, and what happened in order. */
import type { EvidenceView, LedgerEntryView, VerdictView } from "../shared/api/schema.ts";
import { Pill, type Tone } from "../shared/components/showing.tsx";
import { clockSeconds, length, nearTime } from "../shared/times.ts";
import { Lines } from "./lines.tsx";
import { accountInWords, entryInWords } from "./books.ts";
import { reasonInWords } from "./reasons.ts";
import { enumerations } from "../staff/enumerations.ts";
import { words } from "./words.ts";

export function Evidence({ evidence }: { evidence: EvidenceView }) {
  const say = words.value;
  return (
    <section class="card stack tight" aria-labelledby="lines">
      <h2 id="lines">{say.lines}</h2>
      <Lines evidence={evidence} />
      {evidence.verdict && <Verdict verdict={evidence.verdict} />}
      <dl class="facts">
        <dt>{say.talked}</dt>
        <dd>{length(evidence.talked_seconds)}</dd>
        <dt>{say.attempts}</dt>
        <dd>
          {evidence.counted_attempts} / {evidence.attempts}
        </dd>
        {evidence.counselor_mark !== null && (
          <>
            <dt>{say.counselorSays}</dt>
            <dd>{evidence.counselor_mark ? say.cutOff : say.notCutOff}</dd>
          </>
        )}
      </dl>
      <Timeline evidence={evidence} />
    </section>
  );
}

const TONES: Partial<Record<VerdictView["kind"], Tone>> = {
  system_drop: "bad",
  suspected_drop: "warm",
  indeterminate: "warm",
};

export function Verdict({ verdict }: { verdict: VerdictView }) {
  const say = words.value;
  return (
    <div class="verdict">
      <div class="row">
        <strong>{say.verdictTitle}</strong>
        <Pill tone={TONES[verdict.kind] ?? "calm"}>
          {enumerations.value.verdict[verdict.kind]} · {say.by[verdict.by]}
        </Pill>
        <span class="soft">
          {say.sure} {say.confidence[verdict.confidence]} ·{" "}
          {verdict.final ? say.final : say.provisional}
        </span>
      </div>
      {verdict.reasons.length > 0 && (
        <ul class="reasons" aria-label={say.because}>
          {verdict.reasons.map((reason) => (
            <li key={reason}>{reasonInWords(reason)}</li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Timeline({ evidence }: { evidence: EvidenceView }) {
  const say = words.value;
  return (
    <details>
      <summary>{say.timeline}</summary>
      {!evidence.timeline_is_whole && <p class="soft">{say.timelineCut}</p>}
      <ol class="timeline">
        {evidence.timeline.map((line) => (
          <li key={line.seq}>
            <time>{clockSeconds(line.at)}</time>
            <code>{line.kind}</code>
            <span class="soft">
              {[line.role, ...Object.entries(line.data).map(([name, value]) => `${name} ${value}`)]
                .filter(Boolean)
                .join(" · ")}
            </span>
          </li>
        ))}
      </ol>
    </details>
  );
}

export function Book({ title, entries }: { title: string; entries: readonly LedgerEntryView[] }) {
  const say = words.value;
  return (
    <section class="card stack tight section-table">
      <h2>{title}</h2>
      {entries.length === 0 ? (
        <p class="soft">{say.bookEmpty}</p>
      ) : (
        <div class="table-card" tabIndex={0}>
          <table>
            <caption class="unseen">{title}</caption>
            <thead>
              <tr>
                <th scope="col">{say.at}</th>
                <th scope="col">{say.from}</th>
                <th scope="col">{say.to}</th>
                <th scope="col">{say.units}</th>
                <th scope="col">{say.reason}</th>
              </tr>
            </thead>
            <tbody>
              {entries.map((entry) => (
                <tr key={entry.number}>
                  <td>{nearTime(entry.at)}</td>
                  <td>{accountInWords(entry.from_account)}</td>
                  <td>{accountInWords(entry.to_account)}</td>
                  <td>{entry.units}</td>
                  <td>{entryInWords(entry.reason)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
