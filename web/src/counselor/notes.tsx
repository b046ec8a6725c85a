/** The notes of one call: written during the talk, handed in after it. New call, new form. */
import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { newIntent } from "../shared/api/client.ts";
import type { WrapUpView } from "../shared/api/schema.ts";
import { Button } from "../shared/components/button.tsx";
import { Choice, Choices, TextArea } from "../shared/components/field.tsx";
import { Fault, Note } from "../shared/components/showing.tsx";
import { inWords } from "../shared/refusals.ts";
import { clockSeconds, clockTime } from "../shared/times.ts";
import { api } from "../staff/account.ts";
import { Draft } from "./draft.ts";
import { dispositionsOf, me, programOf, reading, topicsOf } from "./me.ts";
import { words } from "./words.ts";

/** One draft per call for as long as its form or its risk screen is on the page. */
export function useDraft(call: string): Draft {
  const draft = useMemo(() => new Draft(call), [call]);
  useEffect(() => () => draft.close(), [draft]);
  return draft;
}

interface NotesProps {
  readonly draft: Draft;
  readonly program: string | undefined;
  /** Null while the call goes on. */
  readonly owed: WrapUpView | null;
  readonly began: string | null;
}

export function Notes({ draft, program: programId, owed, began }: NotesProps) {
  const say = words.value;
  const program = programOf(programId);
  return (
    <section class="card stack notes" aria-labelledby="notes-title">
      <header class="row apart">
        <div>
          <h2 id="notes-title">{say.notesTitle}</h2>
          {began && <p class="fine">{say.notesOf(clockTime(began))}</p>}
        </div>
        <SaveMark draft={draft} />
      </header>
      {draft.state.value === "conflict" && <Conflict draft={draft} />}
      {owed?.required && (
        <Note tone="blue" icon="note">
          {say.summaryToCustomer}
        </Note>
      )}
      <TextArea
        id="summary"
        label={say.summary}
        hint={say.summaryHint}
        value={draft.summary}
        rows={6}
        maxLength={2000}
        onInput={draft.changed}
      />
      <Choices
        legend={say.topics}
        options={topicsOf(program).map(({ id, name }) => ({ value: id, label: name }))}
        chosen={draft.topics.value}
        onChange={(chosen) => {
          draft.topics.value = chosen;
          draft.changed();
        }}
      />
      <Choice
        legend={say.disposition}
        layout="chips"
        options={dispositionsOf(program).map(({ id, name }) => ({ value: id, label: name }))}
        chosen={draft.disposition.value}
        onChoose={(chosen) => {
          draft.disposition.value = chosen;
          draft.changed();
        }}
      />
      {owed ? <HandIn draft={draft} /> : <p class="fine">{say.submitText}</p>}
    </section>
  );
}

function SaveMark({ draft }: { draft: Draft }) {
  const say = words.value;
  const at = draft.savedAt.value;
  const text = {
    saved: at ? say.saved(clockSeconds(at)) : "",
    saving: say.saving,
    unsaved: say.unsaved,
    kept_here: say.keptHere,
    conflict: "",
  }[draft.state.value];
  return (
    <span class="save-mark fine" id="save-mark" data-state={draft.state.value} role="status">
      {text}
    </span>
  );
}

function Conflict({ draft }: { draft: Draft }) {
  const say = words.value;
  return (
    <Note tone="warm" icon="alert" title={say.conflict} urgent>
      <p class="keep-lines quote">{draft.theirs.value?.summary}</p>
      <div class="row">
        <Button onPress={() => draft.takeTheirs()}>{say.takeTheirs}</Button>
        <Button onPress={() => draft.keepMine()}>{say.keepMine}</Button>
      </div>
    </Note>
  );
}

function HandIn({ draft }: { draft: Draft }) {
  const say = words.value;
  const fault = useSignal<string | null>(null);
  const intent = useSignal(newIntent());
  const send = async (): Promise<void> => {
    const [summary, disposition] = [draft.summary.value.trim(), draft.disposition.value];
    if (!summary || disposition === null) {
      fault.value = summary ? say.needDisposition : say.needSummary;
      return;
    }
    const body = {
      summary,
      topics: draft.topics.value,
      disposition,
      ...(draft.cutOff.value === null ? {} : { cut_off: draft.cutOff.value }),
    };
    try {
      fault.value = null;
      await draft.save();
      const path = { call: draft.call };
      me.value = await api("POST /v1/calls/{call}/wrap-up", { path, body, intent: intent.value });
      draft.forget();
    } catch (refused) {
      fault.value = inWords(refused);
      intent.value = newIntent();
      await reading.now();
    }
  };
  return (
    <>
      <Choice
        legend={say.cutOff}
        layout="chips"
        options={[
          { value: "no", label: say.cutOffNo },
          { value: "yes", label: say.cutOffYes },
        ]}
        chosen={draft.cutOff.value === null ? null : draft.cutOff.value ? "yes" : "no"}
        onChoose={(chosen) => {
          draft.cutOff.value = chosen === "yes";
          draft.changed();
        }}
      />
      <Fault text={fault.value} />
      <Button id="hand-in" look="main" onPress={send}>
        {say.submit}
      </Button>
    </>
  );
}
