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
/** About as wide as a label is. */
const LABEL = 190;
const SLACK_MILLISECONDS = 1_000;

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
  const rows = rowsOf(legs);
  const height = TOP + rows.length * ROW + AXIS;
  return (
    <figure class="lines-figure">
      <div class="lines-scroll" tabIndex={0}>
        <svg viewBox={`0 0 ${WIDTH} ${height}`} role="img" aria-label={told(evidence)}>
          {rows.map((row, place) => (
            <Row key={row[0]?.id} legs={row} y={TOP + place * ROW} x={x} />
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

/** A person's phone, rung again and again, is one line; phones that overlap have one each. */
function rowsOf(legs: readonly LegView[]): LegView[][] {
  const rows: LegView[][] = [];
  for (const leg of [...legs].sort((one, other) => at(one.rung_at) - at(other.rung_at))) {
    const row = rows.find((one) => {
      const last = one.at(-1);
      return last?.role === leg.role && endOf(last) <= at(leg.rung_at) + SLACK_MILLISECONDS;
    });
    if (row) row.push(leg);
    else rows.push([leg]);
  }
  return rows;
}

interface RowProps {
  readonly legs: readonly LegView[];
  readonly y: number;
  readonly x: (moment: number) => number;
}

function Row({ legs, y, x }: RowProps) {
  const say = words.value;
  // What ended a talk is told first; a label that would lie on another one is left to the title.
  const told: number[] = [];
  const isTold = (leg: LegView): boolean => {
    const from = labelFrom(x(endOf(leg)));
    if (leg.ended_at === null || told.some((other) => Math.abs(other - from) < LABEL)) return false;
    told.push(from);
    return true;
  };
  const labelled = new Set(
    [...legs.filter((leg) => leg.bridged_at !== null), ...[...legs].reverse()].filter(isTold),
  );
  return (
    <g>
      <text x={0} y={y + 20} class="role">
        {legs[0] && say.role[legs[0].role]}
      </text>
      {legs.map((leg) => (
        <Leg key={leg.id} leg={leg} y={y} x={x} isLabelled={labelled.has(leg)} />
      ))}
    </g>
  );
}

/** A label lies to the right of the end it tells of; near the edge, to the left. */
const isLate = (x: number): boolean => x > WIDTH * 0.7;
const labelFrom = (x: number): number => (isLate(x) ? x - LABEL : x);

interface LegProps {
  readonly leg: LegView;
  readonly y: number;
  readonly x: (moment: number) => number;
  readonly isLabelled: boolean;
}

function Leg({ leg, y, x, isLabelled }: LegProps) {
  const end = endOf(leg);
  const late = isLate(x(end));
  return (
    <g>
      <title>{inWords(leg)}</title>
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
      {leg.ended_at !== null && <line class="end" x1={x(end)} x2={x(end)} y1={y} y2={y + 32} />}
      {isLabelled && (
        <text
          class="who"
          x={x(end) + (late ? -6 : 6)}
          y={y + 44}
          text-anchor={late ? "end" : "start"}
        >
          {releaseOf(leg)}
        </text>
      )}
    </g>
  );
}

/** Who let go, and the numbers the carrier gave for it. */
function releaseOf(leg: LegView): string {
  const who = leg.released_by === null ? null : words.value.side[leg.released_by];
  const numbers = [
    leg.q850 === null ? null : `Q.850 ${leg.q850}`,
    leg.sip === null ? null : `SIP ${leg.sip}`,
  ];
  return [who, ...numbers].filter((one) => one !== null).join(" · ");
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
