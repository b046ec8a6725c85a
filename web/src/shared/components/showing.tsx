/** Small things that show a state: pills, alerts, countdowns, what may be out of date. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useSignalEffect, type ReadonlySignal } from "@preact/signals";
import { now, secondsUntil } from "../clock.ts";
import { language, speak } from "../language.ts";
import type { Live } from "../live.ts";
import { staleness, type Reading } from "../reading.ts";
import { clockSeconds, digits, length } from "../times.ts";
import { shared } from "../words.ts";
import { announce } from "./announcing.tsx";
import { Button } from "./button.tsx";
import { Icon, Mark, type IconName } from "./icons.tsx";

export type Tone = "calm" | "good" | "warm" | "bad" | "blue";

export function Pill({ tone = "calm", children }: { tone?: Tone; children: ComponentChildren }) {
  return (
    <span class={`pill ${tone}`}>
      <i aria-hidden="true" />
      {children}
    </span>
  );
}

interface NoteProps {
  readonly tone?: Tone;
  readonly icon?: IconName;
  readonly title?: string;
  readonly children?: ComponentChildren;
  readonly urgent?: boolean;
}

/** Something to know; an urgent one is said at once. */
export function Note({ tone = "calm", icon, title, children, urgent = false }: NoteProps) {
  return (
    <div class={`note ${tone}`} role={urgent ? "alert" : undefined}>
      {icon && <Icon name={icon} />}
      <div>
        {title && <strong>{title}</strong>}
        {children && <div class="text">{children}</div>}
      </div>
    </div>
  );
}

/** What the last act was refused for; empty while all is well. */
export function Fault({ text }: { text: string | null }) {
  return text === null ? null : (
    <Note tone="bad" icon="alert" urgent>
      {text}
    </Note>
  );
}

const TOLD_AT_SECONDS = [300, 120, 60, 30];

interface CountdownProps {
  readonly until: string;
  /** How many seconds it counts from, where that is known. */
  readonly whole?: number | null;
  readonly told?: boolean;
}

/** The time until a moment the service named. Screen readers hear it at a few marks, not always. */
export function Countdown({ until, whole = null, told = true }: CountdownProps) {
  const left = secondsUntil(until, now.value, whole);
  const before = useRef(left);
  useEffect(() => {
    const passed = TOLD_AT_SECONDS.find((mark) => before.current > mark && left <= mark);
    if (told && passed !== undefined) announce(shared.value.minutesLeft(length(passed)));
    if (told && before.current > 0 && left === 0) announce(shared.value.timeIsUp);
    before.current = left;
  }, [left]);
  return (
    <time class="countdown" role="timer" aria-live="off" dateTime={`PT${left}S`}>
      {digits(left)}
    </time>
  );
}

/** Puts a moment into one line when the page has lost touch; nothing while all is well. */
export function Freshness({ reading, live }: { reading: Reading; live: Live }) {
  const stale = useStale(reading);
  if (stale.value)
    return (
      <div class="freshness stale" role="status">
        <Icon name="refresh" />
        {shared.value.stale(clockSeconds(reading.asOf.value))}
      </div>
    );
  if (live.connection.value === "lost")
    return (
      <div class="freshness" role="status">
        <Icon name="refresh" />
        {shared.value.offline}
      </div>
    );
  return null;
}

const stales = new WeakMap<Reading, ReadonlySignal<boolean>>();

/** Whether a reading may be out of date; what it told should be greyed out then. */
export function useStale(reading: Reading): ReadonlySignal<boolean> {
  let found = stales.get(reading);
  if (!found) stales.set(reading, (found = staleness(reading)));
  return found;
}

export function LanguageSwitch() {
  const other = language.value === "en" ? "zh-CN" : "en";
  return (
    <button type="button" class="button quiet small" lang={other} onClick={() => speak(other)}>
      {shared.value.otherLanguage}
    </button>
  );
}

export function Brand({ href }: { href: string }) {
  return (
    <a class="brand" href={href}>
      <Mark />
      <span>{shared.value.brand}</span>
    </a>
  );
}

export function SkipLink() {
  return (
    <a class="skip" href="#main">
      {shared.value.skip}
    </a>
  );
}

export function Loading() {
  return (
    <div class="loading" role="status">
      <span class="unseen">{shared.value.loading}</span>
      <i />
      <i />
      <i />
    </div>
  );
}

export function Missing({ home }: { home: string }) {
  return (
    <section class="card centred">
      <h1>{shared.value.missing}</h1>
      <a class="button plain" href={home}>
        {shared.value.home}
      </a>
    </section>
  );
}

/** When nothing could be read at all. */
export function Unread({ text, again }: { text: string; again: () => unknown }) {
  return (
    <section class="card centred" role="alert">
      <p>{text}</p>
      <Button onPress={again}>{shared.value.tryAgain}</Button>
    </section>
  );
}

/** The name in the window's title, with what calls for attention in front of it. */
export function Title({ text }: { text: string }) {
  useSignalEffect(() => {
    document.title = `${text} · ${shared.value.brand}`;
  });
  useEffect(() => {
    document.title = `${text} · ${shared.value.brand}`;
  }, [text]);
  return null;
}
