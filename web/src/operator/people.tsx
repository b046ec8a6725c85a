/** Accounts of staff and keys of app back ends. What is secret is shown once. */
import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { KeyView, MemberView, StaffRole } from "../shared/api/schema.ts";
import { newIntent } from "../shared/api/client.ts";
import { Button } from "../shared/components/button.tsx";
import { Dialog } from "../shared/components/dialog.tsx";
import { Choices, Field } from "../shared/components/field.tsx";
import { Fault, Loading, Note, Pill, Unread } from "../shared/components/showing.tsx";
import { inWords } from "../shared/refusals.ts";
import { nearTime } from "../shared/times.ts";
import { api } from "../staff/account.ts";
import { useReading } from "../staff/use-reading.ts";
import { enumerations } from "../staff/enumerations.ts";
import { words } from "./words.ts";

const MOST = 100;
const ROLES: readonly StaffRole[] = [
  "counselor",
  "steward",
  "support",
  "supervisor",
  "operator",
  "insurer",
];

export function People() {
  const members = useSignal<readonly MemberView[] | null>(null);
  const keys = useSignal<readonly KeyView[]>([]);
  const secret = useSignal<readonly [string, string] | null>(null);
  const reading = useReading(
    async () => {
      const [people, made] = await Promise.all([
        api("GET /v1/staff/members", { query: { limit: MOST } }),
        api("GET /v1/staff/keys", { query: { limit: MOST } }),
      ]);
      members.value = people.items;
      keys.value = made.items;
    },
    [],
    () => false,
  );
  if (members.value === null && reading.fault.value)
    return <Unread text={inWords(reading.fault.value)} again={() => reading.now()} />;
  if (members.value === null) return <Loading />;
  const told = (name: string, value: string): Promise<void> => {
    secret.value = [name, value];
    return reading.now();
  };
  return (
    <div class="stack">
      {secret.value && <Secret name={secret.value[0]} value={secret.value[1]} />}
      <Members members={members.value} onSecret={told} onChanged={() => reading.now()} />
      <NewMember onSecret={told} />
      <Keys keys={keys.value} onSecret={told} onChanged={() => reading.now()} />
    </div>
  );
}

function Secret({ name, value }: { name: string; value: string }) {
  const say = words.value;
  return (
    <Note tone="good" icon="shield" title={name}>
      <p class="secret">
        <code>{value}</code>
      </p>
      <p>{say.shownOnce}</p>
    </Note>
  );
}

type OnSecret = (name: string, value: string) => Promise<void>;

interface MembersProps {
  readonly members: readonly MemberView[];
  readonly onSecret: OnSecret;
  readonly onChanged: () => unknown;
}

function Members({ members, onSecret, onChanged }: MembersProps) {
  const say = words.value;
  const fault = useSignal<string | null>(null);
  const trying = async (act: () => Promise<unknown>): Promise<void> => {
    try {
      fault.value = null;
      await act();
      await onChanged();
    } catch (refused) {
      fault.value = inWords(refused);
    }
  };
  const renew = async (member: string): Promise<void> => {
    const told = await api("POST /v1/staff/members/{member}/password", { path: { member } });
    await onSecret(`${say.password} · ${told.email}`, told.password);
  };
  return (
    <section class="stack tight" aria-labelledby="people">
      <h1 id="people">{say.peopleTitle}</h1>
      <p class="soft">{say.peopleText}</p>
      <Fault text={fault.value} />
      <div class="card table-card" tabIndex={0}>
        <table>
          <caption class="unseen">{say.peopleTitle}</caption>
          <thead>
            <tr>
              <th scope="col">{say.email}</th>
              <th scope="col">{say.roles}</th>
              <th scope="col">{say.secondFactor}</th>
              <th scope="col">{say.lastSeen}</th>
              <td />
            </tr>
          </thead>
          <tbody>
            {members.map((one) => (
              <tr key={one.id}>
                <th scope="row">
                  {one.email} {one.suspended_at && <Pill tone="warm">{say.suspended}</Pill>}
                </th>
                <td>{one.roles.map((role) => enumerations.value.staffRole[role]).join(" · ")}</td>
                <td>{one.has_second_factor ? say.yes : say.no}</td>
                <td>{one.last_seen_at ? nearTime(one.last_seen_at) : say.never}</td>
                <td class="acts">
                  <Sure name={say.renew} onSure={() => trying(() => renew(one.id))} />
                  {one.has_second_factor && (
                    <Sure
                      name={say.dropFactor}
                      onSure={() =>
                        trying(() =>
                          api("DELETE /v1/staff/members/{member}/second-factor", {
                            path: { member: one.id },
                          }),
                        )
                      }
                    />
                  )}
                  {one.suspended_at ? (
                    <Sure
                      name={say.restore}
                      onSure={() =>
                        trying(() =>
                          api("POST /v1/staff/members/{member}/restore", {
                            path: { member: one.id },
                          }),
                        )
                      }
                    />
                  ) : (
                    <Sure
                      name={say.suspend}
                      onSure={() =>
                        trying(() =>
                          api("POST /v1/staff/members/{member}/suspend", {
                            path: { member: one.id },
                          }),
                        )
                      }
                    />
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** A button that asks once more before it acts. */
function Sure({ name, onSure }: { name: string; onSure: () => Promise<unknown> }) {
  const say = words.value;
  const asking = useSignal(false);
  return (
    <>
      <Button look="quiet" onPress={() => void (asking.value = true)}>
        {name}
      </Button>
      {asking.value && (
        <Dialog alert title={`${name} · ${say.sure}`} onClose={() => (asking.value = false)}>
          <div class="actions">
            <Button onPress={() => void (asking.value = false)}>{say.cancel}</Button>
            <Button
              look="danger"
              onPress={async () => {
                await onSure();
                asking.value = false;
              }}
            >
              {name}
            </Button>
          </div>
        </Dialog>
      )}
    </>
  );
}

function NewMember({ onSecret }: { onSecret: OnSecret }) {
  const say = words.value;
  const email = useSignal("");
  const roles = useSignal<readonly string[]>([]);
  const counselor = useSignal("");
  const sponsor = useSignal("");
  const fault = useSignal<string | null>(null);
  const add = async (): Promise<void> => {
    try {
      fault.value = null;
      const told = await api("POST /v1/staff/members", {
        body: {
          email: email.value.trim(),
          roles: roles.value as StaffRole[],
          ...(counselor.value ? { counselor: counselor.value.trim() } : {}),
          ...(sponsor.value ? { sponsor: sponsor.value.trim() } : {}),
        },
      });
      email.value = counselor.value = sponsor.value = "";
      roles.value = [];
      await onSecret(`${say.password} · ${told.email}`, told.password);
    } catch (refused) {
      fault.value = inWords(refused);
    }
  };
  return (
    <section class="card stack tight narrow-card" aria-labelledby="add">
      <h2 id="add">{say.add}</h2>
      <Field label={say.email} type="email" value={email} autocomplete="off" />
      <Choices
        legend={say.roles}
        chosen={roles.value}
        options={ROLES.map((role) => ({ value: role, label: enumerations.value.staffRole[role] }))}
        onChange={(chosen) => (roles.value = chosen)}
      />
      {roles.value.includes("counselor") && (
        <Field label={say.counselorId} value={counselor} autocomplete="off" />
      )}
      {roles.value.includes("insurer") && (
        <Field label={say.sponsorId} value={sponsor} autocomplete="off" />
      )}
      <Fault text={fault.value} />
      <Button
        look="main"
        disabled={email.value.trim() === "" || roles.value.length === 0}
        onPress={add}
      >
        {say.add}
      </Button>
    </section>
  );
}

interface KeysProps {
  readonly keys: readonly KeyView[];
  readonly onSecret: OnSecret;
  readonly onChanged: () => unknown;
}

function Keys({ keys, onSecret, onChanged }: KeysProps) {
  const say = words.value;
  const name = useSignal("");
  const fault = useSignal<string | null>(null);
  const intent = useMemo(newIntent, [name.value, keys]);
  const add = async (): Promise<void> => {
    try {
      fault.value = null;
      const told = await api("POST /v1/staff/keys", { body: { name: name.value.trim() }, intent });
      name.value = "";
      await onSecret(told.name, told.api_key);
    } catch (refused) {
      fault.value = inWords(refused);
    }
  };
  const revoke = async (key: string): Promise<void> => {
    try {
      fault.value = null;
      await api("DELETE /v1/staff/keys/{key}", { path: { key } });
      await onChanged();
    } catch (refused) {
      fault.value = inWords(refused);
    }
  };
  return (
    <section class="card stack tight narrow-card" aria-labelledby="keys">
      <h2 id="keys">{say.keysTitle}</h2>
      <ul class="plain-lines">
        {keys.map((key) => (
          <li key={key.id} class="row apart">
            <strong>{key.name}</strong>
            <span class="soft">{nearTime(key.created_at)}</span>
            {key.revoked_at ? (
              <Pill>{say.revoked}</Pill>
            ) : (
              <Sure name={say.revoke} onSure={() => revoke(key.id)} />
            )}
          </li>
        ))}
      </ul>
      <Field label={say.keyName} value={name} maxLength={100} autocomplete="off" />
      <Fault text={fault.value} />
      <Button disabled={name.value.trim() === ""} onPress={add}>
        {say.addKey}
      </Button>
    </section>
  );
}
