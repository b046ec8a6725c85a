/** Finding an order by an id or a number, or a voucher by its code. Nothing goes into an address. */
import { useSignal, type Signal } from "@preact/signals";
import type { FoundView, StaffVoucherView } from "../shared/api/schema.ts";
import { Button } from "../shared/components/button.tsx";
import { Field } from "../shared/components/field.tsx";
import { Fault, Pill } from "../shared/components/showing.tsx";
import { inWords } from "../shared/refusals.ts";
import { nearTime, shortNumber } from "../shared/times.ts";
import { api } from "../staff/account.ts";
import { programTitle } from "../staff/programs.ts";
import { words } from "./words.ts";

export function Search() {
  return (
    <div class="search">
      <Orders />
      <Vouchers />
    </div>
  );
}

function Orders() {
  const say = words.value;
  const text = useSignal("");
  const found = useSignal<readonly FoundView[] | null>(null);
  const fault = useSignal<string | null>(null);
  const search = async (): Promise<void> => {
    try {
      fault.value = null;
      const told = await api("POST /v1/staff/orders/search", { body: { text: text.value } });
      found.value = told.items;
    } catch (refused) {
      fault.value = inWords(refused);
    }
  };
  return (
    <section class="card stack tight" aria-labelledby="search">
      <h1 id="search">{say.searchTitle}</h1>
      <Asking
        id="search-text"
        label={say.searchField}
        hint={say.searchHint}
        value={text}
        onAsk={search}
      />
      <Fault text={fault.value} />
      {found.value !== null && (
        <p role="status" class="soft">
          {found.value.length > 0 ? say.found(found.value.length) : say.foundNone}
        </p>
      )}
      <ul class="plain-lines">
        {found.value?.map((one) => (
          <li key={one.id}>
            <a class="row apart found" href={`/support/orders/${one.id}`}>
              <span>{nearTime(one.opened_at)}</span>
              <span>{programTitle(one.program)}</span>
              <span class="number">{shortNumber(one.phone)}</span>
              <Pill>{say.orderState[one.state]}</Pill>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Vouchers() {
  const say = words.value;
  const code = useSignal("");
  const found = useSignal<readonly StaffVoucherView[] | null>(null);
  const fault = useSignal<string | null>(null);
  const search = async (): Promise<void> => {
    try {
      fault.value = null;
      const told = await api("POST /v1/staff/vouchers/search", { body: { code: code.value } });
      found.value = told.items;
    } catch (refused) {
      found.value = null;
      fault.value = inWords(refused);
    }
  };
  return (
    <section class="card stack tight" aria-labelledby="by-code">
      <h2 id="by-code">{say.byCode}</h2>
      <Asking id="search-code" label={say.codeField} value={code} onAsk={search} />
      <Fault text={fault.value} />
      {found.value?.map((one) => (
        <dl key={one.id} class="facts">
          <dt>{say.voucher}</dt>
          <dd>
            <code>{one.id}</code>
          </dd>
          <dt>{say.state}</dt>
          <dd>{one.state}</dd>
          <dt>{say.program}</dt>
          <dd>{programTitle(one.program)}</dd>
          <dt>{say.validUntil}</dt>
          <dd>{nearTime(one.valid_until)}</dd>
          <dt>{say.holder}</dt>
          <dd>{one.phone === null ? "–" : shortNumber(one.phone)}</dd>
          <dt>{say.order}</dt>
          <dd>{one.order ? <a href={`/support/orders/${one.order}`}>{one.order}</a> : "–"}</dd>
        </dl>
      ))}
    </section>
  );
}

interface AskingProps {
  readonly id: string;
  readonly label: string;
  readonly hint?: string;
  readonly value: Signal<string>;
  readonly onAsk: () => Promise<void>;
}

/** One field and its button; Enter asks as well. */
function Asking({ id, label, hint, value, onAsk }: AskingProps) {
  return (
    <form
      class="asking"
      onSubmit={(submit) => {
        submit.preventDefault();
        void onAsk();
      }}
    >
      <Field id={id} type="search" label={label} hint={hint} value={value} autocomplete="off" />
      <Button look="main" disabled={value.value.trim().length < 3} onPress={onAsk}>
        {words.value.searchNow}
      </Button>
    </form>
  );
}
