/** When somebody may be in danger: what was heard, no more limit, and help on the line. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { newIntent } from "../shared/api/client.ts";
import type { OwnCallView, TargetView } from "../shared/api/schema.ts";
import { Button, HoldButton } from "../shared/components/button.tsx";
import { Dialog } from "../shared/components/dialog.tsx";
import { Choice } from "../shared/components/field.tsx";
import { Fault, Note } from "../shared/components/showing.tsx";
import { inWords } from "../shared/refusals.ts";
import { api } from "../staff/account.ts";
import type { Draft } from "./draft.ts";
import { act, reading } from "./me.ts";
import { levelOf, QUESTIONS, riskOf, type Answers } from "./risk.ts";
import { words } from "./words.ts";

const ANSWERS = ["no", "yes", "unsaid"] as const;

export function RiskScreen({ draft }: { draft: Draft }) {
  const say = words.value;
  const answers: Answers = draft.risk.value ?? {};
  const level = draft.risk.value ? levelOf(answers) : null;
  const tone = level === "acute" ? "bad" : level === "raised" ? "warm" : "calm";
  return (
    <details class="card risk" open={level === "acute" || level === "raised" || undefined}>
      <summary>
        <h2>{say.riskTitle}</h2>
      </summary>
      <div class="stack">
        <p class="fine">{say.riskText}</p>
        {QUESTIONS.map((question) => (
          <Choice
            key={question}
            legend={say.risk[question]}
            layout="chips"
            options={ANSWERS.map((value) => ({ value, label: say.answers[value] }))}
            chosen={draft.risk.value ? (answers[question] ?? null) : null}
            onChoose={(value) => {
              draft.risk.value = riskOf({
                ...answers,
                [question]: value as (typeof ANSWERS)[number],
              });
              draft.changed();
            }}
          />
        ))}
        {level && (
          <Note
            tone={tone}
            icon={level === "acute" ? "alert" : "shield"}
            urgent={level === "acute"}
          >
            {say.level[level]}
          </Note>
        )}
      </div>
    </details>
  );
}

export function Crisis({ call }: { call: OwnCallView }) {
  const say = words.value;
  const fault = useSignal<string | null>(null);
  const doing = async (what: Promise<unknown>): Promise<void> => {
    try {
      fault.value = null;
      await what;
    } catch (refused) {
      fault.value = inWords(refused);
    }
    await reading.now();
  };
  const ring = async (target: TargetView): Promise<void> => {
    if (!call.crisis) await act("crisis", call.id, newIntent());
    await api("POST /v1/calls/{call}/transfer", {
      path: { call: call.id },
      body: { target: target.id },
    });
  };
  return (
    <section class={call.crisis ? "card crisis on" : "card crisis"} aria-labelledby="crisis-title">
      <h2 id="crisis-title">{say.crisis}</h2>
      {call.crisis ? (
        <Note tone="bad" icon="shield" title={say.crisisOn} />
      ) : (
        <div class="row apart">
          <p class="fine">{say.crisisMarkText}</p>
          <Button
            id="mark-crisis"
            look="danger"
            onPress={() => doing(act("crisis", call.id, newIntent()))}
          >
            {say.crisisMark}
          </Button>
        </div>
      )}
      <Fault text={fault.value} />
      {call.transfer === null ? (
        <Targets onChosen={(target) => doing(ring(target))} />
      ) : (
        <Transferring call={call} doing={doing} />
      )}
    </section>
  );
}

function useTargets(): readonly TargetView[] {
  const targets = useSignal<readonly TargetView[]>([]);
  useEffect(() => {
    void api("GET /v1/transfer-targets", { query: { limit: 20 } })
      .then((page) => (targets.value = page.items))
      .catch(() => undefined); // asked again with the next call; the numbers are on the wall, too
  }, []);
  return targets.value;
}

function Targets({ onChosen }: { onChosen: (target: TargetView) => Promise<void> }) {
  const say = words.value;
  const targets = useTargets();
  const asking = useSignal<TargetView | null>(null);
  const chosen = asking.value;
  return (
    <div class="stack tight">
      <h3>{say.crisisFind}</h3>
      <p class="fine">{say.crisisFindText}</p>
      <div class="targets">
        {targets.map((target) => (
          <HoldButton
            key={target.id}
            hint={say.crisisHold}
            onHeld={() => onChosen(target)}
            onAsk={() => (asking.value = target)}
          >
            {target.name}
          </HoldButton>
        ))}
      </div>
      {chosen && (
        <Dialog alert title={say.crisisAsk(chosen.name)} onClose={() => (asking.value = null)}>
          <p>{say.crisisAskText}</p>
          <div class="actions">
            <Button onPress={() => void (asking.value = null)}>{say.goOn}</Button>
            <Button
              id="ring-agency"
              look="danger"
              onPress={async () => {
                await onChosen(chosen);
                asking.value = null;
              }}
            >
              {say.crisisYes}
            </Button>
          </div>
        </Dialog>
      )}
    </div>
  );
}

interface TransferringProps {
  readonly call: OwnCallView;
  readonly doing: (what: Promise<unknown>) => Promise<void>;
}

function Transferring({ call, doing }: TransferringProps) {
  const say = words.value;
  const targets = useTargets();
  const name =
    call.transfer_name ?? targets.find((one) => one.id === call.transfer)?.name ?? say.roles.agency;
  return (
    <div class="stack tight" aria-live="polite">
      <Note
        tone={call.transfer_joined ? "good" : "blue"}
        icon="phone"
        title={call.transfer_joined ? say.transferJoined(name) : say.transferRinging(name)}
      >
        {call.transfer_joined ? say.transferJoinedText : null}
      </Note>
      <div class="row">
        {call.transfer_joined && (
          <Button
            id="hand-over"
            key="hand-over"
            look="main"
            armedAfterMilliseconds={1000}
            onPress={() => doing(act("transfer/confirm", call.id, newIntent()))}
          >
            {say.transferConfirm}
          </Button>
        )}
        <Button
          id="cancel-transfer"
          key="cancel-transfer"
          onPress={() => doing(act("transfer/cancel", call.id, newIntent()))}
        >
          {say.transferCancel}
        </Button>
      </div>
    </div>
  );
}
