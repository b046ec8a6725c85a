/** Showing that this phone is in the caller's hand: a number, a code by SMS, done. */
import { useSignal, type Signal } from "@preact/signals";
import { newIntent } from "../shared/api/client.ts";
import type { CodeSent } from "../shared/api/schema.ts";
import { secondsUntil } from "../shared/clock.ts";
import { Button } from "../shared/components/button.tsx";
import { Field } from "../shared/components/field.tsx";
import { Fault } from "../shared/components/showing.tsx";
import { inWords } from "../shared/refusals.ts";
import { useIntent } from "../shared/use-intent.ts";
import { api, remember, toE164 } from "./account.ts";
import { words } from "./words.ts";

const MOBILE = /^\+\d{8,15}$/;
const MAINLAND = /^\+861\d{10}$/;
const CODE_LENGTH = 6;

export function Verify() {
  const number = useSignal("");
  const sent = useSignal<CodeSent | null>(null);
  return sent.value ? (
    <TypeCode
      key={sent.value.id}
      number={toE164(number.value)}
      sent={sent.value}
      onSent={(again) => (sent.value = again)}
      onOther={() => (sent.value = null)}
    />
  ) : (
    <TypeNumber number={number} onSent={(first) => (sent.value = first)} />
  );
}

async function sendCode(number: string, intent: string): Promise<CodeSent> {
  return api("POST /v1/device-verifications", { body: { phone: number }, intent });
}

interface NumberProps {
  readonly number: Signal<string>;
  readonly onSent: (sent: CodeSent) => void;
}

function TypeNumber({ number, onSent }: NumberProps) {
  const say = words.value;
  const fault = useSignal<string | null>(null);
  const wrong = useSignal(false);
  const sending = useIntent();
  const send = async (): Promise<void> => {
    const phone = toE164(number.value);
    wrong.value = !(phone.startsWith("+86") ? MAINLAND : MOBILE).test(phone);
    if (wrong.value) return;
    try {
      fault.value = null;
      onSent(await sending.carryOut((intent) => sendCode(phone, intent)));
    } catch (refused) {
      fault.value = inWords(refused);
    }
  };
  return (
    <form
      class="card stack"
      onSubmit={(submit) => {
        submit.preventDefault();
        void send();
      }}
    >
      <div class="stack tight">
        <h1>{say.verifyTitle}</h1>
        <p class="soft">{say.verifyWhy}</p>
      </div>
      <Fault text={fault.value} />
      <Field
        id="number"
        label={say.number}
        hint={say.numberHint}
        fault={wrong.value ? say.numberWrong : null}
        value={number}
        type="tel"
        inputMode="tel"
        autocomplete="tel"
        maxLength={20}
        onInput={() => {
          wrong.value = false;
          sending.renew();
        }}
      />
      <Button id="send-code" look="main" wide onPress={send}>
        {say.sendCode}
      </Button>
      <p class="fine">{say.privacy}</p>
    </form>
  );
}

interface CodeProps {
  readonly number: string;
  readonly sent: CodeSent;
  readonly onSent: (sent: CodeSent) => void;
  readonly onOther: () => void;
}

function TypeCode({ number, sent, onSent, onOther }: CodeProps) {
  const say = words.value;
  const code = useSignal("");
  const fault = useSignal<string | null>(null);
  const trying = useSignal(false);
  const confirm = async (): Promise<void> => {
    if (trying.value || code.value.length !== CODE_LENGTH) return;
    trying.value = true;
    try {
      fault.value = null;
      const path = { verification: sent.id };
      const body = { code: code.value };
      const found = await api("POST /v1/device-verifications/{verification}/confirm", {
        path,
        body,
      });
      remember({ masked: found.phone });
    } catch (refused) {
      fault.value = inWords(refused);
      code.value = "";
    } finally {
      trying.value = false;
    }
  };
  const again = async (): Promise<void> => {
    try {
      onSent(await sendCode(number, newIntent()));
    } catch (refused) {
      fault.value = inWords(refused);
    }
  };
  const wait = secondsUntil(sent.resend_at);
  return (
    <form
      class="card stack"
      onSubmit={(submit) => {
        submit.preventDefault();
        void confirm();
      }}
    >
      <div class="stack tight">
        <h1>{say.codeTitle}</h1>
        <p class="soft">{say.codeSent(shortened(number))}</p>
      </div>
      <Fault text={fault.value} />
      <Field
        id="code"
        label={say.code}
        value={code}
        inputMode="numeric"
        autocomplete="one-time-code"
        maxLength={CODE_LENGTH}
        onInput={(typed) => {
          code.value = typed.replace(/\D/g, "");
          void confirm(); // the last digit is all that was missing
        }}
      />
      <Button
        id="confirm"
        look="main"
        wide
        disabled={code.value.length !== CODE_LENGTH}
        onPress={confirm}
      >
        {say.confirm}
      </Button>
      <div class="row apart">
        {wait > 0 ? (
          <span class="fine">{say.resendIn(wait)}</span>
        ) : (
          <Button look="quiet" onPress={again}>
            {say.resend}
          </Button>
        )}
        <Button look="quiet" onPress={onOther}>
          {say.otherNumber}
        </Button>
      </div>
    </form>
  );
}

/** The number as it is shown to its owner: nobody looking on should read all of it. */
function shortened(number: string): string {
  return number.replace(/^(\+\d{2})?(\d{3})\d+(\d{4})$/, "$2****$3");
}
