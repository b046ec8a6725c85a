/** One call from the blue button to its end. Every state is rebuilt from the order alone. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { OrderView, ProgramView, SummaryView } from "../shared/api/schema.ts";
import { announce } from "../shared/components/announcing.tsx";
import { Icon } from "../shared/components/icons.tsx";
import {
  Freshness,
  Loading,
  Missing,
  Note,
  Unread,
  useStale,
} from "../shared/components/showing.tsx";
import { inBoth } from "../shared/language.ts";
import { inWords } from "../shared/refusals.ts";
import { nearTime, shortNumber } from "../shared/times.ts";
import { api, device, live } from "./account.ts";
import { Acts } from "./acts.tsx";
import { Afterwards } from "./afterwards.tsx";
import { BeforeCalling } from "./before.tsx";
import { Choosing } from "./choosing.tsx";
import { isLive, nowInWords } from "./order-words.ts";
import { Stage } from "./stage.tsx";
import { useReading } from "./use-reading.ts";
import { words } from "./words.ts";

interface Found {
  readonly order: OrderView;
  readonly program: ProgramView | null;
  readonly summary: SummaryView | null;
}

/** The catalogue hardly changes, but for the hours: while no call is on it is read again. */
let catalogue: readonly ProgramView[] = [];

async function programOf(order: OrderView): Promise<ProgramView | null> {
  const known = (): ProgramView | undefined => catalogue.find((one) => one.id === order.program);
  const mayDial = isLive(order) && order.call === null;
  if (mayDial || !known()) catalogue = (await api("GET /v1/programs")).items;
  return known() ?? null;
}

async function summaryOf(order: OrderView, before: Found | null): Promise<SummaryView | null> {
  if (isLive(order) || !order.has_summary) return null;
  if (before?.summary) return before.summary;
  return await api("GET /v1/orders/{order}/summary", { path: { order: order.id } });
}

export function OrderScreen({ id }: { id: string }) {
  const found = useSignal<Found | null>(null);
  const reading = useReading(
    async () => {
      const order = await api("GET /v1/orders/{order}", { path: { order: id } });
      const before = found.peek();
      if (before && before.order.version > order.version) return; // an answer that was overtaken
      const [program, summary] = await Promise.all([programOf(order), summaryOf(order, before)]);
      found.value = { order, program, summary };
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

function Shown({ found: { order, program, summary }, again, stale }: ShownProps) {
  const now = nowInWords(order, program, shortNumber(device.value?.masked ?? ""));
  useEffect(() => announce(`${now.title}. ${now.text}`), [now.title]);
  const needsSomebody = order.counselor === null && program?.matching === "named" && isLive(order);
  if (needsSomebody && !order.call && program)
    return <Choosing program={program.id} order={order.id} />;
  return (
    <div class="stack wide-gap">
      <header class="stack tight">
        <p class="eyebrow">{program ? inBoth(program.name) : ""}</p>
        <WithWhom order={order} program={program} />
      </header>
      <Stage order={order} program={program} now={now} stale={stale} />
      {now.stage === "ready" && <NotReached order={order} />}
      <Acts order={order} program={program} now={now} again={again} />
      {now.stage === "ready" && program && <p class="fine centred">{inBoth(program.disclaimer)}</p>}
      {now.stage === "appointed" && program && <BeforeCalling program={program} />}
      <Afterwards order={order} program={program} summary={summary} again={again} />
    </div>
  );
}

function WithWhom({ order, program }: { order: OrderView; program: ProgramView | null }) {
  const say = words.value;
  const name = order.counselor_name;
  const otherwise = program?.matching === "pool" ? say.withDoctor : say.anybody;
  return (
    <p class="whom">
      <Icon name="person" />
      <b>{name ? say.withWhom(name) : otherwise}</b>
      {order.counselor_credential && <small>{order.counselor_credential}</small>}
    </p>
  );
}

function NotReached({ order: { last_call: last } }: { order: OrderView }) {
  const say = words.value;
  if (!last || last.connected) return null;
  return (
    <Note tone="warm" icon="phone" title={say.notReached(nearTime(last.ended_at))}>
      {say.notReachedText}
    </Note>
  );
}
