/** The legs of a call as lines over time: what each phone did, where it fell silent, who let go. */
import type { EvidenceView, LegView } from "../shared/api/schema.ts";
import { now } from "../shared/clock.ts";
import { clockSeconds } from "../shared/times.ts";
import { words } from "./words.ts";

const WIDTH = 1000;
const LEFT = 110;
const ROW = 54;
const TOP = 14;
const AXIS = 30;

type Kind = "ringing" | "answered" | "talking" | "silent";

interface Stretch {
  readonly kind: Kind;
  readonly from: number;
  readonly to: number;
}

export function Lines({ evidence }: { evidence: EvidenceView }) {
  const say = words.value;
  const legs = evidence.legs;
  if (legs.length === 0) return <p class="soft">{say.noCall}</p>;
  const start = Math.min(...legs.map((leg) => at(leg.rung_at)));
  const ends = legs.map((leg) => endOf(leg));
  const end = Math.max(start + 1_000, ...ends);
  const x = (moment: number): number =>
    LEFT + ((moment - start) / (end - start)) * (WIDTH - LEFT - 20);
  const height = TOP + legs.length * ROW + AXIS;
  return (
    <figure class="lines-figure">
      <div class="lines-scroll" tabIndex={0}>
        <svg viewBox={`0 0 ${WIDTH} ${height}`} role="img" aria-label={told(evidence)}>
          {legs.map((leg, place) => (
            <Leg key={leg.id} leg={leg} y={TOP + place * ROW} x={x} />
          ))}
          <Axis start={start} end={end} y={height - AXIS + 8} x={x} />
        </svg>
      </div>
      <figcaption>
        {(["ringing", "answered", "talking", "silent"] as const).map((kind) => (
          <span key={kind} class={`key ${kind}`}>
            {say.legend[kind]}
          </span>
        ))}
      </figcaption>
      <ol class="unseen">
        {legs.map((leg) => (
          <li key={leg.id}>{inWords(leg)}</li>
        ))}
      </ol>
    </figure>
  );
}

interface LegProps {
  readonly leg: LegView;
  readonly y: number;
  readonly x: (moment: number) => number;
}

function Leg({ leg, y, x }: LegProps) {
  const say = words.value;
  const end = endOf(leg);
  const who = leg.released_by === null ? null : say.side[leg.released_by];
  const late = x(end) > WIDTH * 0.7;
  return (
    <g>
      <text x={0} y={y + 20} class="role">
        {say.role[leg.role]}
      </text>
      {stretches(leg).map((one) => (
        <rect
          key={`${one.kind}${one.from}`}
          class={one.kind}
          x={x(one.from)}
          y={y + 6}
          width={Math.max(2, x(one.to) - x(one.from))}
          height={20}
          rx={5}
        />
      ))}
      {leg.ended_at !== null && (
        <>
          <line class="end" x1={x(end)} x2={x(end)} y1={y} y2={y + 32} />
          <text
            class="who"
            x={x(end) + (late ? -6 : 6)}
            y={y + 44}
            text-anchor={late ? "end" : "start"}
          >
            {who}
            {leg.q850 !== null && ` · Q.850 ${leg.q850}`}
            {leg.sip !== null && ` · SIP ${leg.sip}`}
          </text>
        </>
      )}
    </g>
  );
}

interface AxisProps {
  readonly start: number;
  readonly end: number;
  readonly y: number;
  readonly x: (moment: number) => number;
}

function Axis({ start, end, y, x }: AxisProps) {
  const marks = [0, 0.25, 0.5, 0.75, 1].map((share) => start + share * (end - start));
  return (
    <g class="axis">
      {marks.map((moment, place) => (
        <text
          key={moment}
          x={x(moment)}
          y={y + 14}
          text-anchor={place === 0 ? "start" : place === marks.length - 1 ? "end" : "middle"}
        >
          {clockSeconds(moment)}
        </text>
      ))}
    </g>
  );
}

/** What one phone did, one stretch after the other; silence lies over the talk. */
export function stretches(leg: LegView): Stretch[] {
  const end = endOf(leg);
  const answered = leg.answered_at === null ? null : at(leg.answered_at);
  const talking = leg.bridged_at === null ? null : at(leg.bridged_at);
  const found: Stretch[] = [{ kind: "ringing", from: at(leg.rung_at), to: answered ?? end }];
  if (answered !== null) found.push({ kind: "answered", from: answered, to: talking ?? end });
  if (talking !== null) found.push({ kind: "talking", from: talking, to: end });
  if (leg.silent_since !== null) {
    const heard = leg.heard_at === null ? null : at(leg.heard_at);
    const silent = at(leg.silent_since);
    found.push({
      kind: "silent",
      from: silent,
      to: heard !== null && heard > silent ? heard : end,
    });
  }
  return found;
}

const at = (moment: string): number => Date.parse(moment);

function endOf(leg: LegView): number {
  const end = leg.ended_at ?? leg.let_go_at;
  return end === null ? now.value : at(end);
}

function told(evidence: EvidenceView): string {
  return [words.value.linesText, ...evidence.legs.map(inWords)].join(" ");
}

function inWords(leg: LegView): string {
  const say = words.value;
  const parts = stretches(leg).map(
    (one) => `${say.legend[one.kind]} ${clockSeconds(one.from)}–${clockSeconds(one.to)}`,
  );
  if (leg.released_by !== null) parts.push(say.side[leg.released_by] ?? "");
  return `${say.role[leg.role]}: ${parts.join(", ")}.`;
}
