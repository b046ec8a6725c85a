/** Saying that something went wrong, and seeing how far it has come. */
import { useSignal } from "@preact/signals";
import type { ClaimView, OrderView } from "../shared/api/schema.ts";
import { now } from "../shared/clock.ts";
import { Button } from "../shared/components/button.tsx";
import { Choice, TextArea } from "../shared/components/field.tsx";
import { Icon } from "../shared/components/icons.tsx";
import { lookAtFault } from "../shared/components/looking.ts";
import { Fault, Freshness, Loading, Missing, Unread } from "../shared/components/showing.tsx";
import { inWords } from "../shared/refusals.ts";
import { nearTime } from "../shared/times.ts";
import { useIntent } from "../shared/use-intent.ts";
import { api, live } from "./account.ts";
import { mayClaim } from "./order-words.ts";
import { useReading } from "./use-reading.ts";
import { words } from "./words.ts";

export function Claiming({ id }: { id: string }) {
  const order = useSignal<OrderView | null>(null);
  const reading = useReading(
    async () => {
      order.value = await api("GET /v1/orders/{order}", { path: { order: id } });
    },
    [id],
    (event) => event.order === id,
  );
  const say = words.value;
  if (!order.value && reading.fault.value?.code === "not_found") return <Missing home="/call" />;
  if (!order.value && reading.fault.value)
    return <Unread text={inWords(reading.fault.value)} again={() => reading.now()} />;
  if (!order.value) return <Loading />;
  const { claim } = order.value;
  return (
    <div class="stack wide-gap">
      <Freshness reading={reading} live={live} />
      <p>
        <a class="back" href={`/call/orders/${id}`}>
          <Icon name="back" />
          {say.orderTitle}
        </a>
      </p>
      {mayClaim(order.value, now.value) && <Form order={id} onFiled={() => reading.now()} />}
      {claim && <Progress claim={claim} again={() => reading.now()} />}
      {!claim && !mayClaim(order.value, now.value) && <p class="card">{say.claimTooLate}</p>}
    </div>
  );
}

function Form({ order, onFiled }: { order: string; onFiled: () => Promise<void> }) {
  const say = words.value;
  const reason = useSignal<string | null>(null);
  const text = useSignal("");
  const missing = useSignal(false);
  const fault = useSignal<string | null>(null);
  const filing = useIntent();
  const send = async (): Promise<void> => {
    missing.value = reason.value === null;
    if (reason.value === null) return lookAtFault();
    const more = text.value.trim();
    const body = { reason: reason.value, ...(more ? { text: more } : {}) };
    try {
      fault.value = null;
      const path = { order };
      await filing.carryOut((intent) =>
        api("POST /v1/orders/{order}/claims", { path, body, intent }),
      );
      await onFiled();
    } catch (refused) {
      fault.value = inWords(refused);
    }
  };
  return (
    <section class="stack">
      <h1>{say.claimTitle}</h1>
      <Choice
        legend={say.claimWhat}
        options={Object.entries(say.reasons).map(([value, label]) => ({ value, label }))}
        chosen={reason.value}
        fault={missing.value ? say.claimChoose : null}
        onChoose={(value) => {
          reason.value = value;
          missing.value = false;
          filing.renew();
        }}
      />
      <TextArea
        label={say.claimText}
        hint={say.claimTextHint}
        optional
        value={text}
        maxLength={1000}
        onInput={filing.renew}
      />
      <Fault text={fault.value} />
      <Button id="send-claim" look="main" wide onPress={send}>
        {say.send}
      </Button>
    </section>
  );
}

interface Step {
  readonly at: string | null;
  readonly title: string;
  readonly text?: string;
  readonly state: "done" | "now" | "next";
}

function stepsOf(claim: ClaimView): Step[] {
  const say = words.value;
  const { decision, appeal_decision: last } = claim;
  const steps: Step[] = [
    {
      at: claim.filed_at ?? claim.opened_at,
      title: claim.filed_at ? say.claimFiled : say.claimOpened,
      state: "done",
    },
    {
      at: null,
      title: decision ? say.claimChecked : say.claimChecking,
      text: decision ? "" : say.claimDue(nearTime(claim.due_at)),
      state: decision ? "done" : "now",
    },
    {
      at: decision?.decided_at ?? null,
      title: decision ? say.remedy[decision.decision] : say.claimDecided,
      text: decision ? `${say.claimReason} · ${decision.reason}` : "",
      state: decision ? "done" : "next",
    },
  ];
  if (!claim.appealed_at) return steps;
  return [
    ...steps,
    {
      at: claim.appealed_at,
      title: last ? say.appealDecided : say.appealed,
      text: last
        ? `${say.remedy[last.decision]} · ${last.reason}`
        : say.claimDue(nearTime(claim.due_at)),
      state: last ? "done" : "now",
    },
  ];
}

function Progress({ claim, again }: { claim: ClaimView; again: () => Promise<void> }) {
  const say = words.value;
  const fault = useSignal<string | null>(null);
  const until = claim.appeal_until;
  const mayAppeal =
    claim.decision?.decision === "reject" &&
    claim.appealed_at === null &&
    until !== null &&
    now.value < Date.parse(until);
  const appeal = async (): Promise<void> => {
    try {
      fault.value = null;
      await api("POST /v1/claims/{claim}/appeal", { path: { claim: claim.id } });
    } catch (refused) {
      fault.value = inWords(refused);
    }
    await again();
  };
  return (
    <section class="stack">
      <h1>{say.claimSteps}</h1>
      <ol class="steps card">
        {stepsOf(claim).map((step) => (
          <li
            key={step.title}
            class={step.state}
            aria-current={step.state === "now" ? "step" : undefined}
          >
            <b>{step.title}</b>
            {step.text && <span>{step.text}</span>}
            {step.at && <time dateTime={step.at}>{nearTime(step.at)}</time>}
          </li>
        ))}
      </ol>
      <Fault text={fault.value} />
      {mayAppeal && until && (
        <div class="stack tight">
          <p class="soft">{say.appealText(nearTime(until))}</p>
          <Button id="appeal" onPress={appeal}>
            {say.appeal}
          </Button>
        </div>
      )}
    </section>
  );
}
