/** Where a caller begins: the call that is under way, whom one can call, and my vouchers. */
import { useSignal } from "@preact/signals";
import { newIntent, Refusal } from "../shared/api/client.ts";
import type { VoucherView } from "../shared/api/schema.ts";
import type { WantedOrder, WantedProgram } from "../shared/api/wanted.ts";
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
import { api, device, live, remember } from "./account.ts";
import { isLive, orderTone } from "./order-words.ts";
import { useReading } from "./use-reading.ts";
import { words } from "./words.ts";

interface Found {
  readonly orders: readonly WantedOrder[];
  readonly vouchers: readonly VoucherView[];
  readonly programs: readonly WantedProgram[];
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
  readonly order: WantedOrder;
  readonly programs: readonly WantedProgram[];
  readonly strong?: boolean;
}

export function OrderLink({ order, programs, strong = false }: LinkProps) {
  const say = words.value;
  const program = programs.find((one) => one.id === order.program);
  const name = program ? inBoth(program.name) : order.program;
  const when = order.state === "interrupted" && order.resume_until ? order.resume_until : null;
  return (
    <a class={strong ? "card link strong" : "card link"} href={`/call/orders/${order.id}`}>
      <span class="body">
        <b>{order.counselor_name ? say.withWhom(order.counselor_name) : name}</b>
        <small>
          {order.counselor_name ? `${name} · ` : ""}
          {nearTime(order.opened_at)}
          {when ? ` · ${say.resumeUntil} ${nearTime(when)}` : ""}
        </small>
      </span>
      <Pill tone={orderTone(order)}>{say.order[order.state]}</Pill>
      <Icon name="forward" />
    </a>
  );
}

function Service({ program }: { program: WantedProgram }) {
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
  readonly programs: readonly WantedProgram[];
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
  const isGood = voucher.state === "issued" || voucher.state === "returned";
  return (
    <div class={isGood ? "voucher" : "voucher spent"}>
      <Icon name="ticket" />
      <span class="body">
        <b>{program ? inBoth(program.name) : voucher.program}</b>
        <small>
          {say.ending(voucher.code_ending)}
          {" · "}
          {voucher.used_at
            ? say.usedAt(nearTime(voucher.used_at))
            : say.goodUntil(dateOf(voucher.valid_until))}
        </small>
        {isGood &&
          program?.changes.map((change) => (
            <small class="ahead" key={change.kind + change.effective_on}>
              {say.fromDay(dateOf(`${change.effective_on}T00:00+08:00`), inBoth(change.text))}
            </small>
          ))}
      </span>
      <Pill tone={VOUCHER_TONES[voucher.state]}>{say.voucher[voucher.state]}</Pill>
    </div>
  );
}

function AddVoucher({ onClose, onAdded }: { onClose: () => void; onAdded: () => unknown }) {
  const say = words.value;
  const code = useSignal("");
  const fault = useSignal<string | null>(null);
  const intent = useSignal(newIntent());
  const add = async (): Promise<void> => {
    if (!code.value.trim()) return;
    try {
      fault.value = null;
      await api("POST /v1/vouchers/redeem", {
        body: { code: code.value.trim() },
        intent: intent.value,
      });
      await onAdded();
    } catch (refused) {
      fault.value = inWords(refused);
      intent.value = newIntent();
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
          onInput={() => (intent.value = newIntent())}
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
