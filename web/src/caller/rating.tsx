/** Three marks of one to five, by pointer or keyboard, and words if there are any. */
import { Fragment } from "preact";
import { useId } from "preact/hooks";
import { useSignal } from "@preact/signals";
import type { OrderView, RatingView } from "../shared/api/schema.ts";
import { now } from "../shared/clock.ts";
import { Button } from "../shared/components/button.tsx";
import { TextArea } from "../shared/components/field.tsx";
import { Icon } from "../shared/components/icons.tsx";
import { Fault, Note } from "../shared/components/showing.tsx";
import { inWords } from "../shared/refusals.ts";
import { api } from "./account.ts";
import { words } from "./words.ts";

const MARKS = ["timeliness", "quality", "attitude"] as const;
type Mark = (typeof MARKS)[number];

interface Props {
  readonly order: OrderView;
  readonly onRated: () => Promise<void>;
}

/** The rating that was given, or the form for one; for a day it may be given anew. */
export function Rating({ order, onRated }: Props) {
  const changing = useSignal(false);
  const sent = useSignal(false);
  const rated = async (): Promise<void> => {
    sent.value = true;
    await onRated();
    changing.value = false;
  };
  if (order.rating && !changing.value)
    return (
      <Given
        rating={order.rating}
        thanks={sent.value}
        onChange={() => void (changing.value = true)}
      />
    );
  return <Form order={order} onRated={rated} />;
}

interface GivenProps {
  readonly rating: RatingView;
  readonly thanks: boolean;
  readonly onChange: () => void;
}

function Given({ rating, thanks, onChange }: GivenProps) {
  const say = words.value;
  const until = rating.change_until;
  return (
    <section class="card stack tight" aria-live="polite" id="rated">
      <h2>{say.rated}</h2>
      {thanks && (
        <Note tone="good" icon="check">
          {say.rateThanks}
        </Note>
      )}
      <dl class="facts">
        {MARKS.map((mark) => (
          <Fragment key={mark}>
            <dt>{say[mark]}</dt>
            <dd>{say.stars(rating[mark])}</dd>
          </Fragment>
        ))}
      </dl>
      {until && now.value < Date.parse(until) && (
        <Button look="quiet" id="rate-anew" onPress={onChange}>
          {say.rateAnew}
        </Button>
      )}
    </section>
  );
}

function Form({ order, onRated }: Props) {
  const say = words.value;
  const scores = useSignal<Partial<Record<Mark, number>>>(order.rating ?? {});
  const text = useSignal("");
  const fault = useSignal<string | null>(null);
  const send = async (): Promise<void> => {
    const { timeliness, quality, attitude } = scores.value;
    if (!timeliness || !quality || !attitude) {
      fault.value = say.rateAll;
      return;
    }
    const said = text.value.trim();
    const body = { timeliness, quality, attitude, ...(said ? { text: said } : {}) };
    try {
      fault.value = null;
      await api("POST /v1/orders/{order}/rating", { path: { order: order.id }, body });
      await onRated();
    } catch (refused) {
      fault.value = inWords(refused);
    }
  };
  return (
    <section class="card stack" aria-labelledby="rate">
      <h2 id="rate">{say.rateTitle}</h2>
      {MARKS.map((mark) => (
        <Stars
          key={mark}
          name={say[mark]}
          value={scores.value[mark] ?? 0}
          onChange={(value) => (scores.value = { ...scores.value, [mark]: value })}
        />
      ))}
      <TextArea
        label={say.rateText}
        hint={order.rating ? say.rateTextKept : undefined}
        optional
        value={text}
        rows={3}
        maxLength={500}
      />
      <Fault text={fault.value} />
      <Button id="rate-send" onPress={send}>
        {say.rateSend}
      </Button>
    </section>
  );
}

interface StarsProps {
  readonly name: string;
  readonly value: number;
  readonly onChange: (value: number) => void;
}

function Stars({ name, value, onChange }: StarsProps) {
  const group = useId();
  return (
    <fieldset class="stars">
      <legend>{name}</legend>
      <div>
        {[1, 2, 3, 4, 5].map((count) => (
          <label key={count} class={count <= value ? "lit" : undefined}>
            <input
              type="radio"
              name={group}
              value={count}
              checked={count === value}
              onChange={() => onChange(count)}
            />
            <Icon name="star" filled={count <= value} />
            <span class="unseen">{words.value.stars(count)}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
