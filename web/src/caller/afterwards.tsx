/** What follows a talk: its summary, a rating, a claim, another call. */
import type { ClaimView, OrderView, ProgramView, SummaryView } from "../shared/api/schema.ts";
import { now } from "../shared/clock.ts";
import { Button } from "../shared/components/button.tsx";
import { Icon } from "../shared/components/icons.tsx";
import { go } from "../shared/router.ts";
import { nearTime } from "../shared/times.ts";
import { claimInWords, isLive, mayClaim } from "./order-words.ts";
import { Rating } from "./rating.tsx";
import { words } from "./words.ts";

/** They talked, and no more of the talk can be used. */
const CAN_BE_RATED: ReadonlySet<string> = new Set(["completed", "closed"]);

interface Props {
  readonly order: OrderView;
  readonly program: ProgramView | null;
  readonly summary: SummaryView | null;
  readonly again: () => Promise<void>;
}

export function Afterwards({ order, program, summary, again }: Props) {
  const say = words.value;
  if (order.call) return null;
  return (
    <>
      {summary && (
        <section class="card stack tight">
          <h2>{say.summary}</h2>
          <p class="keep-lines">{summary.text}</p>
        </section>
      )}
      {CAN_BE_RATED.has(order.state) && <Rating order={order} onRated={again} />}
      {order.claim && <ClaimLink order={order} claim={order.claim} />}
      {mayClaim(order, now.value) && order.state !== "interrupted" && <Report order={order} />}
      {!isLive(order) && program && (
        <Button onPress={() => go(`/call/new/${program.id}`)}>{say.again}</Button>
      )}
    </>
  );
}

function Report({ order }: { order: OrderView }) {
  const say = words.value;
  const until = order.last_call?.claim_until;
  return (
    <section class="card stack tight">
      <h2>{say.problem}</h2>
      <p class="soft">{say.problemText}</p>
      {until && <p class="fine">{say.problemUntil(nearTime(until))}</p>}
      <a class="button plain" id="problem" href={`/call/orders/${order.id}/claim`}>
        {say.report}
      </a>
    </section>
  );
}

function ClaimLink({ order, claim }: { order: OrderView; claim: ClaimView }) {
  return (
    <a class="card link" id="see-claim" href={`/call/orders/${order.id}/claim`}>
      <span class="body">
        <b>{words.value.seeClaim}</b>
        <small>{claimInWords(claim)}</small>
      </span>
      <Icon name="forward" />
    </a>
  );
}
