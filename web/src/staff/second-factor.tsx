/** Giving an account its authenticator, before anything else is open to it. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Operations } from "../shared/api/schema.ts";
import { Button } from "../shared/components/button.tsx";
import { Field } from "../shared/components/field.tsx";
import { Fault, Loading } from "../shared/components/showing.tsx";
import { inWords } from "../shared/refusals.ts";
import { api, who } from "./account.ts";
import { words } from "./words.ts";

type Offered = Operations["POST /v1/sessions/current/second-factor"]["ok"];

const CODE_LENGTH = 6;

export function SecondFactor() {
  const say = words.value;
  const offered = useSignal<Offered | null>(null);
  const code = useSignal("");
  const fault = useSignal<string | null>(null);
  const ask = async (): Promise<void> => {
    try {
      fault.value = null;
      offered.value = await api("POST /v1/sessions/current/second-factor");
    } catch (refused) {
      fault.value = inWords(refused);
    }
  };
  useEffect(() => void ask(), []);
  const confirm = async (): Promise<void> => {
    if (code.value.length !== CODE_LENGTH) return;
    try {
      fault.value = null;
      const body = { code: code.value };
      who.value = await api("POST /v1/sessions/current/second-factor/confirm", { body });
    } catch (refused) {
      fault.value = inWords(refused);
      code.value = "";
    }
  };
  return (
    <form
      class="card stack second-factor"
      onSubmit={(submit) => {
        submit.preventDefault();
        void confirm();
      }}
    >
      <div class="stack tight">
        <h1>{say.factorTitle}</h1>
        <p class="soft">{say.factorText}</p>
      </div>
      <Fault text={fault.value} />
      {offered.value ? (
        <>
          <div class="stack tight">
            <p class="fine">{say.factorKey}</p>
            <p class="secret" data-secret={offered.value.secret}>
              {grouped(offered.value.secret)}
            </p>
            <a href={offered.value.address}>{say.factorOpen}</a>
          </div>
          <Field
            id="totp"
            label={say.totp}
            hint={say.totpHint}
            value={code}
            inputMode="numeric"
            autocomplete="one-time-code"
            maxLength={CODE_LENGTH}
            onInput={(typed) => (code.value = typed.replace(/\D/g, ""))}
          />
          <Button
            id="confirm-factor"
            look="main"
            wide
            disabled={code.value.length !== CODE_LENGTH}
            onPress={confirm}
          >
            {say.factorConfirm}
          </Button>
        </>
      ) : (
        fault.value === null && <Loading />
      )}
    </form>
  );
}

/** In groups of four, to be typed over. */
function grouped(secret: string): string {
  return secret.replace(/(.{4})(?=.)/g, "$1 ");
}
