/** E-mail and password, then the second factor where there is one. */
import { useSignal } from "@preact/signals";
import { Refusal } from "../shared/api/client.ts";
import { Button } from "../shared/components/button.tsx";
import { Field } from "../shared/components/field.tsx";
import { Brand, Fault, LanguageSwitch } from "../shared/components/showing.tsx";
import { inWords } from "../shared/refusals.ts";
import { api } from "./account.ts";
import { words } from "./words.ts";

const TOTP_LENGTH = 6;

export function SignIn({ onSignedIn }: { onSignedIn: () => Promise<void> }) {
  const say = words.value;
  const [email, password, totp] = [useSignal(""), useSignal(""), useSignal("")];
  const wantsTotp = useSignal(false);
  const fault = useSignal<string | null>(null);
  const enter = async (): Promise<void> => {
    const body = {
      email: email.value.trim(),
      password: password.value,
      ...(totp.value ? { totp: totp.value.trim() } : {}),
    };
    try {
      fault.value = null;
      await api("POST /v1/sessions", { body });
      await onSignedIn();
    } catch (refused) {
      totp.value = "";
      if (refused instanceof Refusal && refused.code === "totp_required") wantsTotp.value = true;
      else fault.value = inWords(refused);
    }
  };
  return (
    <>
      <header class="bar-top plain">
        <Brand href="/desk" />
        <div class="bar-end">
          <LanguageSwitch />
        </div>
      </header>
      <main id="main" class="narrow" tabIndex={-1}>
        <form
          class="card stack"
          onSubmit={(submit) => {
            submit.preventDefault();
            void enter();
          }}
        >
          <div class="stack tight">
            <h1>{say.signIn}</h1>
            <p class="soft">{say.signInText}</p>
          </div>
          <Fault text={fault.value} />
          <Field
            id="email"
            label={say.email}
            value={email}
            type="email"
            autocomplete="username"
            maxLength={254}
          />
          <Field
            id="password"
            label={say.password}
            value={password}
            type="password"
            autocomplete="current-password"
            maxLength={256}
          />
          {wantsTotp.value && (
            <Field
              id="totp"
              label={say.totp}
              hint={say.totpHint}
              value={totp}
              inputMode="numeric"
              autocomplete="one-time-code"
              maxLength={TOTP_LENGTH}
            />
          )}
          <button type="submit" hidden />
          <Button id="enter" look="main" wide onPress={enter}>
            {say.enter}
          </Button>
        </form>
      </main>
    </>
  );
}
