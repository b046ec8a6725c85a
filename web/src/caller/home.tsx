/** Where a caller begins: the call that is under way, whom one can call, and my vouchers. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { Refusal } from "../shared/api/client.ts";
import type { OrderView, ProgramView, VoucherView } from "../shared/api/schema.ts";
import { Button } from "../shared/components/button.tsx";
import { Dialog } from "../shared/components/dialog.tsx";
import { Field } from "../shared/components/field.tsx";
import { Icon } from "../shared/components/icons.tsx";
import {
  Fault,
  Freshness,
  Loading,
  Pill,
  Unread,
  type Tone,
} from "../shared/components/showing.tsx";
import { inBoth } from "../shared/language.ts";
import { inWords } from "../shared/refusals.ts";
import { dateOf, length, nearTime, shortNumber } from "../shared/times.ts";
import { useIntent } from "../shared/use-intent.ts";
import { api, device, live, remember } from "./account.ts";
import { claimInWords, isLive, orderTone, stateOf, whenOf } from "./order-words.ts";
import { useReading } from "./use-reading.ts";
import { words } from "./words.ts";

interface Found {
  readonly orders: readonly OrderView[];
  readonly vouchers: readonly VoucherView[];
  readonly programs: readonly ProgramView[];
}

export function Home() {
  const found = useSignal<Found | null>(null);
  const reading = useReading(async () => {
    const [orders, vouchers, programs] = await Promise.all([
      api("GET /v1/orders", { query: { limit: 20 } }),
      api("GET /v1/vouchers", { query: { limit: 50 } }),
      api("GET /v1/programs"),
    ]);
    found.value = { orders: orders.items, vouchers: vouchers.items, programs: programs.items };
  }, []);
  if (!found.value && reading.fault.value)
    return <Unread text={inWords(reading.fault.value)} again={() => reading.now()} />;
  if (!found.value) return <Loading />;
  const { orders, vouchers, programs } = found.value;
  const say = words.value;
  return (
    <div class="stack wide-gap">
      <Freshness reading={reading} live={live} />
      <Now orders={orders.filter((order) => isLive(order))} programs={programs} />
      <section class="stack" aria-labelledby="services">
        <h2 id="services">{say.services}</h2>
        {programs.map((program) => (
          <Service key={program.id} program={program} />
        ))}
      </section>
      <Vouchers vouchers={vouchers} programs={programs} onAdded={() => reading.now()} />
      <SignedIn />
    </div>
  );
}

function Now({ orders, programs }: { orders: Found["orders"]; programs: Found["programs"] }) {
  const say = words.value;
  if (orders.length === 0)
    return (
      <div class="stack tight hello">
        <h1>{say.hello}</h1>
        <p class="soft">{say.helloText}</p>
      </div>
    );
  return (
    <section class="stack" aria-labelledby="now">
      <h1 id="now">{say.nowTitle}</h1>
      {orders.map((order) => (
        <OrderLink key={order.id} order={order} programs={programs} strong />
      ))}
    </section>
  );
}

interface LinkProps {
  readonly order: OrderView;
  readonly programs: readonly ProgramView[];
  readonly strong?: boolean;
}

export function OrderLink({ order, programs, strong = false }: LinkProps) {
  const say = words.value;
  const program = programs.find((one) => one.id === order.program);
  const name = program ? inBoth(program.name) : order.program;
  return (
    <a class={strong ? "card link strong" : "card link"} href={`/call/orders/${order.id}`}>
      <span class="body">
        <b>{order.counselor_name ? say.withWhom(order.counselor_name) : name}</b>
        <small>
          {order.counselor_name ? `${name} · ` : ""}
          {whenOf(order)}
        </small>
        {beside(order).map((text) => (
          <small key={text}>{text}</small>
        ))}
      </span>
      <Pill tone={orderTone(order)}>{stateOf(order)}</Pill>
      <Icon name="forward" />
    </a>
  );
}

/** What a caller looks for in the list: the rating they gave, how far their claim has come. */
function beside(order: OrderView): string[] {
  const say = words.value;
  const { rating, claim } = order;
  return [
    ...(rating ? [say.ratedWith(rating.timeliness, rating.quality, rating.attitude)] : []),
    ...(claim ? [say.claimLine(claimInWords(claim))] : []),
  ];
}

function Service({ program }: { program: ProgramView }) {
  const say = words.value;
  const opens = program.opens_at ? say.opens(nearTime(program.opens_at)) : say.shut;
  return (
    <article class="card service">
      <header>
        <h3>{inBoth(program.name)}</h3>
        <Pill tone={program.is_open ? "good" : "calm"}>{program.is_open ? say.open : opens}</Pill>
      </header>
      <p class="soft">
        {program.talk_seconds === null ? say.noLimit : say.talkOf(length(program.talk_seconds))}
        {" · "}
        {program.needs_voucher ? say.byVoucher : say.free}
        {program.appointments && ` · ${say.byAppointment}`}
      </p>
      <a class="button plain" href={`/call/new/${program.id}`}>
        {program.matching === "named" ? say.begin : say.beginPool}
      </a>
    </article>
  );
}

const VOUCHER_TONES: Record<VoucherView["state"], Tone> = {
  pending: "calm",
  issued: "good",
  returned: "good",
  held: "blue",
  consumed: "calm",
  expired: "calm",
  voided: "calm",
  reissued: "calm",
};

interface VouchersProps {
  readonly vouchers: readonly VoucherView[];
  readonly programs: readonly ProgramView[];
  readonly onAdded: () => unknown;
}

function Vouchers({ vouchers, programs, onAdded }: VouchersProps) {
  const say = words.value;
  const adding = useSignal(false);
  return (
    <section class="stack" aria-labelledby="vouchers">
      <header class="row apart">
        <h2 id="vouchers">{say.vouchers}</h2>
        <Button look="quiet" id="add-voucher" onPress={() => void (adding.value = true)}>
          {say.addVoucher}
        </Button>
      </header>
      {vouchers.length === 0 && <p class="soft">{say.noVouchers}</p>}
      <ul class="stack tight">
        {vouchers.map((voucher) => (
          <li key={voucher.id}>
            <Voucher voucher={voucher} programs={programs} />
          </li>
        ))}
      </ul>
      {adding.value && (
        <AddVoucher
          onClose={() => (adding.value = false)}
          onAdded={() => {
            adding.value = false;
            return onAdded();
          }}
        />
      )}
    </section>
  );
}

function Voucher({ voucher, programs }: { voucher: VoucherView; programs: Found["programs"] }) {
  const say = words.value;
  const program = programs.find((one) => one.id === voucher.program);
  return (
    <Around voucher={voucher}>
      <Icon name="ticket" />
      <span class="body">
        <b>{program ? inBoth(program.name) : voucher.program}</b>
        <small>
          {say.ending(voucher.code_ending)}
          {" · "}
          {timeOf(voucher)}
        </small>
        {isGood(voucher) &&
          program?.changes.map((change) => (
            <small class="ahead" key={change.kind + change.effective_on}>
              {say.fromDay(dateOf(`${change.effective_on}T00:00+08:00`), inBoth(change.text))}
            </small>
          ))}
      </span>
      <Pill tone={VOUCHER_TONES[voucher.state]}>{say.voucher[voucher.state]}</Pill>
    </Around>
  );
}

const isGood = ({ state }: VoucherView): boolean => state === "issued" || state === "returned";

function timeOf(voucher: VoucherView): string {
  const say = words.value;
  if (voucher.used_at) return say.usedAt(nearTime(voucher.used_at));
  if (voucher.held_until) return say.heldUntil(nearTime(voucher.held_until));
  return say.goodUntil(dateOf(voucher.valid_until));
}

/** A voucher that an order holds, or that one used, leads there. */
function Around({ voucher, children }: { voucher: VoucherView; children: ComponentChildren }) {
  const { state, order } = voucher;
  if (isGood(voucher) || !order)
    return <div class={isGood(voucher) ? "voucher" : "voucher spent"}>{children}</div>;
  return (
    <a class={state === "held" ? "voucher" : "voucher spent"} href={`/call/orders/${order}`}>
      {children}
    </a>
  );
}

function AddVoucher({ onClose, onAdded }: { onClose: () => void; onAdded: () => unknown }) {
  const say = words.value;
  const code = useSignal("");
  const fault = useSignal<string | null>(null);
  const adding = useIntent();
  const add = async (): Promise<void> => {
    if (!code.value.trim()) return;
    try {
      fault.value = null;
      const body = { code: code.value.trim() };
      await adding.carryOut((intent) => api("POST /v1/vouchers/redeem", { body, intent }));
      await onAdded();
    } catch (refused) {
      fault.value = inWords(refused);
    }
  };
  return (
    <Dialog title={say.addVoucher} onClose={onClose}>
      <form
        class="stack"
        onSubmit={(submit) => {
          submit.preventDefault();
          void add();
        }}
      >
        <Fault text={fault.value} />
        <Field
          id="voucher-code"
          label={say.voucherCode}
          hint={say.voucherHint}
          value={code}
          autocomplete="off"
          maxLength={64}
          first
          onInput={adding.renew}
        />
        <Button look="main" wide onPress={add}>
          {say.add}
        </Button>
      </form>
    </Dialog>
  );
}

function SignedIn() {
  const say = words.value;
  const forget = async (): Promise<void> => {
    try {
      await api("DELETE /v1/devices/current");
    } catch (refused) {
      if (!(refused instanceof Refusal)) throw refused; // this browser forgets it in any case
    }
    remember(null);
  };
  const asking = useSignal(false);
  const masked = shortNumber(device.value?.masked ?? "");
  return (
    <section class="row apart signed-in">
      <span class="fine">{say.signedInAs(masked)}</span>
      <Button look="quiet" onPress={() => void (asking.value = true)}>
        {say.forget}
      </Button>
      {asking.value && (
        <Dialog alert title={say.forgetTitle} onClose={() => (asking.value = false)}>
          <p>{say.forgetText}</p>
          <div class="actions">
            <Button onPress={() => void (asking.value = false)}>{say.cancelNo}</Button>
            <Button look="danger" onPress={forget}>
              {say.forgetYes}
            </Button>
          </div>
        </Dialog>
      )}
    </section>
  );
}
