/** Ending a counselor's wrap-up that does not end, for a reason that is kept. */
import { useSignal } from "@preact/signals";
import type { RosterView } from "../shared/api/schema.ts";
import { Button } from "../shared/components/button.tsx";
import { Dialog } from "../shared/components/dialog.tsx";
import { Field } from "../shared/components/field.tsx";
import { Fault } from "../shared/components/showing.tsx";
import { inWords } from "../shared/refusals.ts";
import { useIntent } from "../shared/use-intent.ts";
import { api } from "../staff/account.ts";
import { words } from "./words.ts";

export function EndWrapUp({ who, onDone }: { who: RosterView; onDone: () => void }) {
  const say = words.value;
  const reason = useSignal("");
  const fault = useSignal<string | null>(null);
  const ending = useIntent();
  const end = async (): Promise<void> => {
    const asked = { path: { counselor: who.id }, body: { reason: reason.value.trim() } };
    try {
      fault.value = null;
      await ending.carryOut((intent) =>
        api("POST /v1/staff/counselors/{counselor}/end-wrap-up", { ...asked, intent }),
      );
      onDone();
    } catch (refused) {
      fault.value = inWords(refused);
    }
  };
  return (
    <Dialog alert title={say.endWrapUpTitle(who.name)} onClose={onDone}>
      <p>{say.endWrapUpText}</p>
      <Field label={say.reason} value={reason} maxLength={200} first />
      <Fault text={fault.value} />
      <div class="actions">
        <Button onPress={onDone}>{say.keep}</Button>
        <Button id="end-wrap-up" look="danger" disabled={reason.value.trim() === ""} onPress={end}>
          {say.endWrapUp}
        </Button>
      </div>
    </Dialog>
  );
}
