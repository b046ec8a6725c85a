/** Choosing whom to talk to and what pays for it, with everything to know before a call. */
import { useSignal } from "@preact/signals";
import { Refusal } from "../shared/api/client.ts";
import type { CounselorView, ProgramView, VoucherView } from "../shared/api/schema.ts";
import { Button } from "../shared/components/button.tsx";
import { Choice, Field, type Option } from "../shared/components/field.tsx";
import {
  Fault,
  Freshness,
  Loading,
  Missing,
  Pill,
  Unread,
  type Tone,
} from "../shared/components/showing.tsx";
import { lookAtFault } from "../shared/components/looking.ts";
import { inBoth } from "../shared/language.ts";
import { inWords } from "../shared/refusals.ts";
import { go } from "../shared/router.ts";
import { dateOf, length, nearTime } from "../shared/times.ts";
import { topicInWords } from "../shared/topics.ts";
import { useIntent } from "../shared/use-intent.ts";
import { api, live } from "./account.ts";
import { BeforeCalling } from "./before.tsx";
import { useReading } from "./use-reading.ts";
import { startsAt, When } from "./when.tsx";
import { words } from "./words.ts";

interface Found {
  readonly program: ProgramView | null;
  readonly counselors: readonly CounselorView[];
  readonly vouchers: readonly VoucherView[];
}

const TONES: Record<CounselorView["state"], Tone> = {
  available: "good",
  busy: "warm",
  offline: "calm",
};
const ORDER = ["available", "busy", "offline"];

/** For a new order; or, with `order`, for one that has nobody to talk to any more. */
export function Choosing({ program: id, order }: { program: string; order: string | null }) {
  const found = useSignal<Found | null>(null);
  const reading = useReading(async () => {
    const [programs, counselors, vouchers] = await Promise.all([
      api("GET /v1/programs"),
      api("GET /v1/programs/{program}/counselors", {
        path: { program: id },
        query: { limit: 100 },
      }),
      api("GET /v1/vouchers", { query: { limit: 50 } }),
    ]);
    const program = programs.items.find((one) => one.id === id) ?? null;
    const good = vouchers.items.filter(
      (one) => one.program === id && (one.state === "issued" || one.state === "returned"),
    );
    found.value = { program, counselors: counselors.items, vouchers: good };
  }, [id]);
  if (reading.fault.value?.code === "not_found") return <Missing home="/call" />;
  if (!found.value && reading.fault.value)
    return <Unread text={inWords(reading.fault.value)} again={() => reading.now()} />;
  if (!found.value) return <Loading />;
  if (!found.value.program) return <Missing home="/call" />;
  return (
    <>
      <Freshness reading={reading} live={live} />
      <Chooser found={found.value} program={found.value.program} order={order} />
    </>
  );
}

const ANOTHER = "";

interface ChooserProps {
  readonly found: Found;
  readonly program: ProgramView;
  readonly order: string | null;
}

function Chooser({ found, program, order }: ChooserProps) {
  const say = words.value;
  const isNamed = program.matching === "named";
  const counselor = useSignal<string | null>(null);
  const voucher = useSignal<string>(found.vouchers[0]?.id ?? ANOTHER);
  const code = useSignal("");
  const fault = useSignal<string | null>(null);
  const missing = useSignal(false);
  const when = useSignal<string | null>(program.is_open || !program.appointments ? null : "");
  const opening = useIntent();
  const paysBy = voucher.value === ANOTHER ? code.value.trim() : voucher.value;
  const needsWhom = isNamed && counselor.value === null;
  const needsCode = program.needs_voucher && order === null && !paysBy;
  const needsTime = when.value === "";
  const begin = async (): Promise<void> => {
    missing.value = needsWhom || needsCode || needsTime;
    if (missing.value) return lookAtFault();
    try {
      fault.value = null;
      go(`/call/orders/${await opened()}`, "replace");
    } catch (refused) {
      fault.value =
        when.value !== null && isAboutTime(refused) ? say.whenRefused : inWords(refused);
    }
  };
  const opened = async (): Promise<string> => {
    if (order !== null) {
      const body = { counselor: counselor.value ?? "" };
      return (await api("PUT /v1/orders/{order}/counselor", { path: { order }, body })).id;
    }
    const body = {
      program: program.id,
      ...(isNamed ? { counselor: counselor.value } : {}),
      ...(program.needs_voucher ? { voucher: paysBy } : {}),
      ...(when.value ? { starts_at: startsAt(when.value) } : {}),
    };
    return (await opening.carryOut((intent) => api("POST /v1/orders", { body, intent }))).id;
  };
  return (
    <div class="stack wide-gap">
      <div class="stack tight">
        <p class="eyebrow">{inBoth(program.name)}</p>
        <h1>{isNamed ? say.chooseTitle : say.poolTitle}</h1>
        <p class="soft">{isNamed ? say.chooseHint : say.poolHint}</p>
        {!program.is_open && program.opens_at && (
          <p>
            <Pill tone="warm">{say.opens(nearTime(program.opens_at))}</Pill>
          </p>
        )}
      </div>
      {isNamed && (
        <Counselors
          counselors={found.counselors}
          chosen={counselor.value}
          fault={missing.value && needsWhom ? say.chooseFirst : null}
          onChoose={(id) => {
            counselor.value = id;
            opening.renew();
          }}
        />
      )}
      {order === null && (
        <When
          program={program}
          when={when}
          fault={missing.value && needsTime ? say.whenMissingFault : null}
          onChange={opening.renew}
        />
      )}
      {program.needs_voucher && order === null && (
        <section class="stack">
          {found.vouchers.length > 0 && (
            <Choice
              legend={say.payWith}
              options={[
                ...found.vouchers.map(voucherOption),
                { value: ANOTHER, label: say.anotherCode },
              ]}
              chosen={voucher.value}
              onChoose={(id) => {
                voucher.value = id;
                opening.renew();
              }}
            />
          )}
          {voucher.value === ANOTHER && (
            <Field
              id="voucher-code"
              label={say.voucherCode}
              hint={say.voucherHint}
              fault={missing.value && needsCode ? say.codeFirst : null}
              value={code}
              autocomplete="off"
              maxLength={64}
              onInput={opening.renew}
            />
          )}
        </section>
      )}
      <BeforeCalling program={program} />
      <div class="stack tight">
        <Fault text={fault.value} />
        <Button id="begin" look="main" wide onPress={begin}>
          {beginText(program, order !== null, when.value !== null)}
        </Button>
        {program.talk_seconds !== null && (
          <p class="fine centred">
            {say.timeOfTalk} {length(program.talk_seconds)}
          </p>
        )}
      </div>
    </div>
  );
}

const ABOUT_TIME: ReadonlySet<string> = new Set(["not_now", "outside_hours"]);

const isAboutTime = (refused: unknown): boolean =>
  refused instanceof Refusal && ABOUT_TIME.has(refused.code);

function beginText(program: ProgramView, isUnderWay: boolean, isLater: boolean): string {
  const say = words.value;
  if (isLater) return say.book;
  return program.needs_voucher && !isUnderWay ? say.redeem : say.prepare;
}

function voucherOption(voucher: VoucherView): Option {
  const say = words.value;
  return {
    value: voucher.id,
    label: say.ending(voucher.code_ending),
    note: say.goodUntil(dateOf(voucher.valid_until)),
  };
}

interface CounselorsProps {
  readonly counselors: readonly CounselorView[];
  readonly chosen: string | null;
  readonly fault: string | null;
  readonly onChoose: (id: string) => void;
}

function Counselors({ counselors, chosen, fault, onChoose }: CounselorsProps) {
  const say = words.value;
  if (counselors.length === 0) return <p class="soft">{say.nobody}</p>;
  const sorted = [...counselors].sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state));
  const options = sorted.map((one) => ({
    value: one.id,
    label: one.name,
    note: (
      <>
        {one.credential}
        {one.skills.length > 0 && (
          <>
            <br />
            {say.skills} {one.skills.map(topicInWords).join(" · ")}
          </>
        )}
      </>
    ),
    end: <Pill tone={TONES[one.state]}>{say.counselor[one.state]}</Pill>,
  }));
  return (
    <Choice
      legend={say.chooseTitle}
      hideLegend
      options={options}
      chosen={chosen}
      onChoose={onChoose}
      fault={fault}
    />
  );
}
