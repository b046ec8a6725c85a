/** Claims and reviews by deadline. */
import { useSignal } from "@preact/signals";
import type { StaffClaimView, billing__claim__State as ClaimState } from "../shared/api/schema.ts";
import { Button } from "../shared/components/button.tsx";
import { Choice } from "../shared/components/field.tsx";
import {
  Fault,
  Freshness,
  Loading,
  Pill,
  Unread,
  useStale,
  type Tone,
} from "../shared/components/showing.tsx";
import { secondsSince, secondsUntil } from "../shared/clock.ts";
import { inWords } from "../shared/refusals.ts";
import { nearTime, roundLength } from "../shared/times.ts";
import { api, live } from "../staff/account.ts";
import { usePages } from "../staff/use-pages.ts";
import { words } from "./words.ts";

const PAGE = 50;
const SHOWN: readonly ClaimState[] = ["open", "appealed", "decided", "closed"];
const SOON_SECONDS = 3600;

export function Queue() {
  const say = words.value;
  const state = useSignal<ClaimState>("open");
  const { items, hasMore, more, reading } = usePages(
    (after) => api("GET /v1/claims", { query: { state: state.peek(), limit: PAGE, ...after } }),
    [state.value],
  );
  const stale = useStale(reading).value;
  return (
    <section class="stack tight" aria-labelledby="queue">
      <Freshness reading={reading} live={live} />
      <h1 id="queue">{say.queueTitle}</h1>
      <p class="soft">{say.queueText}</p>
      <Choice
        legend={say.which}
        hideLegend
        layout="chips"
        chosen={state.value}
        options={SHOWN.map((one) => ({ value: one, label: say.claimState[one] }))}
        onChoose={(chosen) => (state.value = chosen as ClaimState)}
      />
      {items === null && reading.fault.value ? (
        <Unread text={inWords(reading.fault.value)} again={() => reading.now()} />
      ) : items === null ? (
        <Loading />
      ) : items.length === 0 ? (
        <p class="card centred soft">{say.queueEmpty}</p>
      ) : (
        <ul class={stale ? "queue stale-grey" : "queue"}>
          {items.map((claim) => (
            <Line key={claim.id} claim={claim} />
          ))}
        </ul>
      )}
      <Fault text={items && reading.fault.value ? inWords(reading.fault.value) : null} />
      {hasMore && <Button onPress={more}>{say.more}</Button>}
    </section>
  );
}

function Line({ claim }: { claim: StaffClaimView }) {
  const say = words.value;
  return (
    <li>
      <a class="card queue-line" href={`/support/claims/${claim.id}`}>
        <Deadline claim={claim} />
        <span class="grounds">
          {claim.grounds.map((ground) => (
            <Pill key={ground} tone={ground === "filed" ? "blue" : "calm"}>
              {ground === "review" && claim.review ? say.review[claim.review] : say.ground[ground]}
            </Pill>
          ))}
          {claim.escalated_at && <Pill tone="bad">{say.escalated}</Pill>}
        </span>
        <span class="soft">
          {say.opened} {nearTime(claim.opened_at)}
        </span>
        <span class="soft">
          {claim.decision ? say.remedy[claim.decision.decision] : say.claimState[claim.state]}
        </span>
      </a>
    </li>
  );
}

/** How long is left to decide; nothing once it is decided. */
export function Deadline({ claim }: { claim: StaffClaimView }) {
  const say = words.value;
  if (claim.state !== "open" && claim.state !== "appealed")
    return <span class="deadline soft">{nearTime(claim.due_at)}</span>;
  const left = secondsUntil(claim.due_at);
  const late = secondsSince(claim.due_at);
  const tone: Tone = left === 0 ? "bad" : left < SOON_SECONDS ? "warm" : "calm";
  return (
    <span class={`deadline ${tone}`}>
      <time dateTime={claim.due_at} title={nearTime(claim.due_at)}>
        {left === 0 ? say.late(roundLength(late)) : say.left(roundLength(left))}
      </time>
    </span>
  );
}
