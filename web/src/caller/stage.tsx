/** What is happening now: a picture, a sentence, and the time that is left. */
import type { OrderView, ProgramView } from "../shared/api/schema.ts";
import { secondsUntil } from "../shared/clock.ts";
import { Icon } from "../shared/components/icons.tsx";
import { Countdown } from "../shared/components/showing.tsx";
import { digits, length, nearTime } from "../shared/times.ts";
import type { Now } from "./order-words.ts";
import { words } from "./words.ts";

interface Props {
  readonly order: OrderView;
  readonly program: ProgramView | null;
  readonly now: Now;
  readonly stale: boolean;
}

export function Stage({ order, program, now, stale }: Props) {
  return (
    <section
      class={stale ? `stage ${now.stage} stale-grey` : `stage ${now.stage}`}
      aria-labelledby="stage"
    >
      <div class="picture" aria-hidden="true">
        <Icon name={PICTURES[now.stage]} />
      </div>
      <h1 id="stage" data-stage={now.stage}>
        {now.title}
      </h1>
      <p>{now.text}</p>
      <TimeLeft order={order} program={program} stage={now.stage} />
    </section>
  );
}

const PICTURES = {
  appointed: "clock",
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
  unused: "clock",
} as const;

interface TimeProps {
  readonly order: OrderView;
  readonly program: ProgramView | null;
  readonly stage: Now["stage"];
}

function TimeLeft({ order, program, stage }: TimeProps) {
  const call = order.call;
  switch (stage) {
    case "connected":
      return call?.ends_at ? <Running until={call.ends_at} whole={order.granted_seconds} /> : null;
    case "parted":
      return call?.left_seconds == null ? null : <Standing seconds={call.left_seconds} />;
    case "waiting":
      return call?.next_attempt_at ? (
        <div class="time-left small">
          <Countdown until={call.next_attempt_at} told={false} />
        </div>
      ) : null;
    case "over":
      return order.talked_seconds > 0 ? <Talked order={order} /> : null;
    case "appointed":
    case "ready":
    case "interrupted":
      return <Ahead order={order} program={program} stage={stage} />;
    default:
      return null;
  }
}

function Running({ until, whole }: { until: string; whole: number | null }) {
  const width = whole === null ? 0 : Math.min(1, secondsUntil(until) / whole) * 100;
  return (
    <div class="time-left">
      <span class="unseen">{words.value.leftOnTalk}</span>
      <Countdown until={until} whole={whole} />
      {whole !== null && (
        <div class="bar" aria-hidden="true">
          <i style={{ width: `${width}%` }} />
        </div>
      )}
    </div>
  );
}

/** While one side is rung again, no time passes. */
function Standing({ seconds }: { seconds: number }) {
  return (
    <div class="time-left stands">
      <span class="countdown">{digits(seconds)}</span>
      <small>{words.value.left}</small>
    </div>
  );
}

function Talked({ order }: { order: OrderView }) {
  const say = words.value;
  return (
    <dl class="facts">
      <dt>{say.talked}</dt>
      <dd>{length(order.talked_seconds)}</dd>
      <dt>{say.when}</dt>
      <dd>{nearTime(order.opened_at)}</dd>
    </dl>
  );
}

function Ahead({ order, program, stage }: TimeProps) {
  const say = words.value;
  const until = stage === "interrupted" ? order.resume_until : order.expires_at;
  return (
    <dl class="facts">
      {order.starts_at && stage !== "interrupted" && (
        <>
          <dt>{say.appointedFor}</dt>
          <dd>{nearTime(order.starts_at)}</dd>
        </>
      )}
      {order.remaining_seconds !== null && (
        <>
          <dt>{stage === "interrupted" ? say.left : say.timeOfTalk}</dt>
          <dd>{length(order.remaining_seconds)}</dd>
        </>
      )}
      {until && stage !== "appointed" && (
        <>
          <dt>{stage === "interrupted" ? say.resumeUntil : say.until}</dt>
          <dd>{nearTime(until)}</dd>
        </>
      )}
      {program?.shows && <dd class="both">{say.shows(program.shows)}</dd>}
    </dl>
  );
}
