/** Three marks of one to five, by pointer or keyboard, and words if there are any. */
import { useId } from "preact/hooks";
import { useSignal } from "@preact/signals";
import type { RatingView } from "../shared/api/schema.ts";
import type { WantedOrder } from "../shared/api/wanted.ts";
import { Button } from "../shared/components/button.tsx";
import { TextArea } from "../shared/components/field.tsx";
import { Icon } from "../shared/components/icons.tsx";
import { Fault, Note } from "../shared/components/showing.tsx";
import { inWords } from "../shared/refusals.ts";
import { api } from "./account.ts";
import { words } from "./words.ts";

const MARKS = ["timeliness", "quality", "attitude"] as const;
type Mark = (typeof MARKS)[number];

/** What was rated in this browser, for a service that does not show it yet. */
const given = new Map<string, RatingView>();

export function Rating({ order, onRated }: { order: WantedOrder; onRated: () => Promise<void> }) {
  const say = words.value;
  const scores = useSignal<Partial<Record<Mark, number>>>({});
  const text = useSignal("");
  const fault = useSignal<string | null>(null);
  const rating = order.rating ?? given.get(order.id);
  const sent = useSignal(false);
  if (rating)
    return (
      <section class="card stack tight" aria-live="polite">
        <h2>{say.rated}</h2>
        {sent.value && (
          <Note tone="good" icon="check">
            {say.rateThanks}
          </Note>
        )}
        <dl class="facts">
          {MARKS.map((mark) => (
            <div key={mark} class="row apart">
              <dt>{say[mark]}</dt>
              <dd>{say.stars(rating[mark])}</dd>
            </div>
          ))}
        </dl>
      </section>
    );
  const send = async (): Promise<void> => {
    const { timeliness, quality, attitude } = scores.value;
    if (!timeliness || !quality || !attitude) {
      fault.value = say.rateAll;
      return;
    }
    const words_ = text.value.trim();
    const body = { timeliness, quality, attitude, ...(words_ ? { text: words_ } : {}) };
    try {
      fault.value = null;
      given.set(
        order.id,
        await api("POST /v1/orders/{order}/rating", { path: { order: order.id }, body }),
      );
      sent.value = true;
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
      <TextArea label={say.rateText} optional value={text} rows={3} maxLength={500} />
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
