/** One call from the blue button to its end. Every state is rebuilt from the order alone. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { newIntent } from "../shared/api/client.ts";
import type { ClaimView, CounselorView, SummaryView } from "../shared/api/schema.ts";
import type { WantedOrder, WantedProgram } from "../shared/api/wanted.ts";
import { now, secondsUntil } from "../shared/clock.ts";
import { announce } from "../shared/components/announcing.tsx";
import { Button } from "../shared/components/button.tsx";
import { Dialog } from "../shared/components/dialog.tsx";
import { Icon } from "../shared/components/icons.tsx";
import {
  Countdown,
  Fault,
  Freshness,
  Loading,
  Missing,
  Note,
  Unread,
  useStale,
} from "../shared/components/showing.tsx";
import { inBoth } from "../shared/language.ts";
import { inWords } from "../shared/refusals.ts";
import { go } from "../shared/router.ts";
import { digits, length, nearTime, shortNumber } from "../shared/times.ts";
import { api, device, live } from "./account.ts";
import { BeforeCalling } from "./before.tsx";
import { Choosing } from "./choosing.tsx";
import { isLive, nowInWords, type Now } from "./order-words.ts";
import { Rating } from "./rating.tsx";
import { useReading } from "./use-reading.ts";
import { words } from "./words.ts";

interface Found {
  readonly order: WantedOrder;
  readonly program: WantedProgram | null;
  readonly counselor: CounselorView | null;
  readonly claim: ClaimView | null;
  readonly summary: SummaryView | null;
}

/** The catalogue hardly changes; an order is read again at every event. */
const known: { programs: readonly WantedProgram[]; people: Map<string, CounselorView> } = {
  programs: [],
  people: new Map(),
};

async function programOf(order: WantedOrder): Promise<WantedProgram | null> {
  if (!known.programs.some((one) => one.id === order.program))
    known.programs = (await api("GET /v1/programs")).items;
  return known.programs.find((one) => one.id === order.program) ?? null;
}

async function counselorOf(order: WantedOrder): Promise<CounselorView | null> {
  if (order.counselor === null) return null;
  if (!known.people.has(order.counselor)) {
    const path = { program: order.program };
    const people = await api("GET /v1/programs/{program}/counselors", {
      path,
      query: { limit: 100 },
    });
    for (const one of people.items) known.people.set(one.id, one);
  }
  return known.people.get(order.counselor) ?? null;
}

async function claimOf(order: WantedOrder): Promise<ClaimView | null> {
  if (order.claim !== undefined) return order.claim;
  const path = { order: order.id };
  return (
    (await api("GET /v1/orders/{order}/claims", { path, query: { limit: 1 } })).items[0] ?? null
  );
}

async function summaryOf(order: WantedOrder): Promise<SummaryView | null> {
  if (isLive(order) || !order.has_summary) return null;
  return await api("GET /v1/orders/{order}/summary", { path: { order: order.id } });
}

export function OrderScreen({ id }: { id: string }) {
  const found = useSignal<Found | null>(null);
  const reading = useReading(
    async () => {
      const order: WantedOrder = await api("GET /v1/orders/{order}", { path: { order: id } });
      const before = found.peek();
      if (before && before.order.version > order.version) return; // an answer that was overtaken
      const [program, counselor] = await Promise.all([programOf(order), counselorOf(order)]);
      found.value = { claim: null, summary: null, ...before, order, program, counselor };
      if (order.call) return; // what follows a call can wait until it is over
      const [claim, summary] = await Promise.all([claimOf(order), summaryOf(order)]);
      found.value = { order, program, counselor, claim, summary };
    },
    [id],
    (event) => event.order === id,
  );
  if (!found.value && reading.fault.value?.code === "not_found") return <Missing home="/call" />;
  if (!found.value && reading.fault.value)
    return <Unread text={inWords(reading.fault.value)} again={() => reading.now()} />;
  if (!found.value) return <Loading />;
  const stale = useStale(reading).value;
  return (
    <>
      <Freshness reading={reading} live={live} />
      <Shown found={found.value} again={() => reading.now()} stale={stale} />
    </>
  );
}

interface ShownProps {
  readonly found: Found;
  readonly again: () => Promise<void>;
  readonly stale: boolean;
}

function Shown({ found, again, stale }: ShownProps) {
  const { order, program } = found;
  const say = words.value;
  const told = nowInWords(order, program, shortNumber(device.value?.masked ?? ""));
  const choosing = useSignal(false);
  useEffect(() => announce(`${told.title}. ${told.text}`), [told.title]);
  const needsSomebody = order.counselor === null && program?.matching === "named" && isLive(order);
  if ((needsSomebody || choosing.value) && !order.call && program)
    return <Choosing program={program.id} order={order.id} />;
  return (
    <div class="stack wide-gap">
      <header class="stack tight">
        <p class="eyebrow">{program ? inBoth(program.name) : ""}</p>
        <WithWhom found={found} />
      </header>
      <section
        class={stale ? `stage ${told.stage} stale-grey` : `stage ${told.stage}`}
        aria-labelledby="stage"
      >
        <Picture stage={told.stage} />
        <h1 id="stage" data-stage={told.stage}>
          {told.title}
        </h1>
        <p>{told.text}</p>
        <TimeLeft order={order} program={program} stage={told.stage} />
      </section>
      {told.stage === "ready" && order.last_call && !order.last_call.connected && (
        <Note tone="warm" icon="phone" title={say.notReached(nearTime(order.last_call.ended_at))}>
          {say.notReachedText}
        </Note>
      )}
      <Acts found={found} now={told} again={again} />
      {told.stage === "ready" && program && <BeforeCalling program={program} />}
      {told.stage === "interrupted" && program && (
        <p class="fine">
          {inBoth(program.charge_notice)} {say.dangerText}
        </p>
      )}
      <Afterwards found={found} again={again} />
    </div>
  );
}

function WithWhom({ found: { order, program, counselor } }: { found: Found }) {
  const say = words.value;
  const name = order.counselor_name ?? counselor?.name;
  const otherwise = program?.matching === "pool" ? say.withDoctor : say.anybody;
  return (
    <p class="whom">
      <Icon name="person" />
      <b>{name ? say.withWhom(name) : otherwise}</b>
      {counselor && <small>{counselor.credential}</small>}
    </p>
  );
}

const PICTURES = {
  ready: "phone",
  ringing_you: "phone",
  ringing_them: "phone",
  connected: "line",
  parted: "pause",
  waiting: "clock",
  queued: "list",
  ending: "check",
  interrupted: "pause",
  over: "check",
} as const;

function Picture({ stage }: { stage: Now["stage"] }) {
  return (
    <div class="picture" aria-hidden="true">
      <Icon name={PICTURES[stage]} />
    </div>
  );
}

interface TimeProps {
  readonly order: WantedOrder;
  readonly program: WantedProgram | null;
  readonly stage: Now["stage"];
}

function TimeLeft({ order, program, stage }: TimeProps) {
  const say = words.value;
  if (stage === "connected" && order.call?.ends_at) {
    const whole = order.granted_seconds;
    const left = secondsUntil(order.call.ends_at);
    return (
      <div class="time-left">
        <span class="unseen">{say.leftOnTalk}</span>
        <Countdown until={order.call.ends_at} />
        {whole !== null && <Bar share={left / whole} />}
      </div>
    );
  }
  const stands = order.call?.left_seconds ?? null;
  if (stage === "parted" && stands !== null)
    return (
      <div class="time-left stands">
        <span class="countdown">{digits(stands)}</span>
        <small>{say.left}</small>
      </div>
    );
  if (stage === "waiting" && order.call?.next_attempt_at)
    return (
      <div class="time-left small">
        <Countdown until={order.call.next_attempt_at} told={false} />
      </div>
    );
  if (stage === "over" && order.talked_seconds > 0)
    return (
      <dl class="facts">
        <dt>{say.talked}</dt>
        <dd>{length(order.talked_seconds)}</dd>
        <dt>{say.when}</dt>
        <dd>{nearTime(order.opened_at)}</dd>
      </dl>
    );
  if (stage !== "ready" && stage !== "interrupted") return null;
  const until = stage === "ready" ? order.expires_at : order.resume_until;
  return (
    <dl class="facts">
      {order.remaining_seconds !== null && (
        <>
          <dt>{stage === "ready" ? say.timeOfTalk : say.left}</dt>
          <dd>{length(order.remaining_seconds)}</dd>
        </>
      )}
      {until && (
        <>
          <dt>{stage === "ready" ? say.until : say.resumeUntil}</dt>
          <dd>{nearTime(until)}</dd>
        </>
      )}
      {program?.shows && <dd class="both">{say.shows(program.shows)}</dd>}
    </dl>
  );
}

/** How much of the talk is left, for the eye; the digits beside it say the same. */
function Bar({ share }: { share: number }) {
  const width = `${Math.max(0, Math.min(1, share)) * 100}%`;
  return (
    <div class="bar" aria-hidden="true">
      <i style={{ width }} />
    </div>
  );
}

interface ActsProps {
  readonly found: Found;
  readonly now: Now;
  readonly again: () => Promise<void>;
}

function Acts({ found: { order, program }, now, again }: ActsProps) {
  const say = words.value;
  const fault = useSignal<string | null>(null);
  const intent = useSignal(newIntent());
  const cancelling = useSignal(false);
  const act = async (doing: () => Promise<unknown>): Promise<void> => {
    try {
      fault.value = null;
      await doing();
    } catch (refused) {
      fault.value = inWords(refused);
      intent.value = newIntent();
    }
    await again();
  };
  const call = () =>
    act(async () => {
      const path = { order: order.id };
      await api("POST /v1/orders/{order}/calls", { path, body: {}, intent: intent.value });
      intent.value = newIntent();
    });
  const hangUp = () =>
    act(() => api("DELETE /v1/orders/{order}/calls/current", { path: { order: order.id } }));
  const cancel = () =>
    act(async () => {
      await api("DELETE /v1/orders/{order}", { path: { order: order.id } });
      cancelling.value = false;
    });
  const release = () =>
    act(async () => {
      const body = { reason: "not_reached" };
      await api("POST /v1/orders/{order}/release", { path: { order: order.id }, body });
    });
  const isRinging = ["ringing_you", "ringing_them", "queued"].includes(now.stage);
  const mayCall = now.stage === "ready" || now.stage === "interrupted";
  if (now.stage === "over" || now.stage === "ending") return <Fault text={fault.value} />;
  return (
    <div class="acts">
      <Fault text={fault.value} />
      {mayCall && (
        <Button id="call" key="call" look="call" onPress={call}>
          <Icon name="phone" />
          {now.stage === "ready" ? say.call : say.reconnect}
        </Button>
      )}
      {now.stage === "waiting" && (
        <Button id="call-now" key="call-now" look="call" onPress={call}>
          <Icon name="phone" />
          {say.waitingNow}
        </Button>
      )}
      {(now.stage === "connected" || now.stage === "parted") && (
        <Button
          id="hang-up"
          key="hang-up"
          look="danger"
          wide
          armedAfterMilliseconds={1000}
          onPress={hangUp}
        >
          {say.hangUp}
        </Button>
      )}
      {(isRinging || now.stage === "waiting") && (
        <Button id="stop" key="stop" look="quiet" armedAfterMilliseconds={1000} onPress={hangUp}>
          {say.stopRinging}
        </Button>
      )}
      {order.release_offered && !order.call && (
        <Note tone="blue" icon="person" title={say.releaseWhy}>
          <Button id="release" onPress={release}>
            {say.release}
          </Button>
        </Note>
      )}
      {now.stage === "ready" && (
        <Button
          id="cancel"
          key="cancel"
          look="quiet"
          onPress={() => void (cancelling.value = true)}
        >
          {say.cancelOrder}
        </Button>
      )}
      {now.stage === "interrupted" && <ProblemLink order={order} />}
      {cancelling.value && (
        <Dialog alert title={say.cancelTitle} onClose={() => (cancelling.value = false)}>
          {program?.needs_voucher && <p>{say.cancelText}</p>}
          <div class="actions">
            <Button onPress={() => void (cancelling.value = false)}>{say.cancelNo}</Button>
            <Button id="cancel-yes" look="danger" onPress={cancel}>
              {say.cancelYes}
            </Button>
          </div>
        </Dialog>
      )}
    </div>
  );
}

function ProblemLink({ order }: { order: WantedOrder }) {
  return (
    <a class="button quiet" id="problem" href={`/call/orders/${order.id}/claim`}>
      {words.value.problem}
    </a>
  );
}

/** What follows a talk: its summary, a rating, a claim. */
function Afterwards({ found, again }: { found: Found; again: () => Promise<void> }) {
  const say = words.value;
  const { order, claim, summary, program } = found;
  if (order.call) return null;
  const until = order.last_call?.claim_until ?? null;
  const mayClaim = until !== null && now.value < Date.parse(until);
  return (
    <>
      {summary && (
        <section class="card stack tight">
          <h2>{say.summary}</h2>
          <p class="keep-lines">{summary.text}</p>
        </section>
      )}
      {order.state === "completed" && <Rating order={order} onRated={again} />}
      {claim && <ClaimLink order={order} claim={claim} />}
      {!claim && mayClaim && order.state !== "interrupted" && (
        <section class="card stack tight">
          <h2>{say.problem}</h2>
          <p class="soft">{say.problemText}</p>
          <p class="fine">{say.problemUntil(nearTime(until))}</p>
          <a class="button plain" id="problem" href={`/call/orders/${order.id}/claim`}>
            {say.report}
          </a>
        </section>
      )}
      {!isLive(order) && program && (
        <Button onPress={() => go(`/call/new/${program.id}`)}>{say.again}</Button>
      )}
    </>
  );
}

function ClaimLink({ order, claim }: { order: WantedOrder; claim: ClaimView }) {
  const say = words.value;
  return (
    <a class="card link" id="see-claim" href={`/call/orders/${order.id}/claim`}>
      <span class="body">
        <b>{say.seeClaim}</b>
        <small>
          {claim.decision
            ? say.remedy[claim.decision.decision]
            : say.claimDue(nearTime(claim.due_at))}
        </small>
      </span>
      <Icon name="forward" />
    </a>
  );
}
