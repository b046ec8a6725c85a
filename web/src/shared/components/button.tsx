/** Buttons: one act each, never twice at once, and honest about waiting for the service. */
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { shared } from "../words.ts";

export type Look = "plain" | "main" | "call" | "quiet" | "danger" | "good";

interface ButtonProps {
  readonly onPress: () => unknown;
  readonly children: ComponentChildren;
  readonly look?: Look;
  readonly disabled?: boolean;
  readonly wide?: boolean;
  readonly name?: string;
  readonly id?: string;
  readonly describedBy?: string;
  readonly focusRef?: { current: HTMLButtonElement | null };
  /** Not to be pressed for this long after it appeared: it may have come under the pointer. */
  readonly armedAfterMilliseconds?: number;
}

const SLOW_MILLISECONDS = 4_000;

/** While its act is under way the button shows so and ignores more presses. */
export function Button({
  look = "plain",
  wide = false,
  armedAfterMilliseconds = 0,
  ...given
}: ButtonProps) {
  const busy = useSignal(false);
  const slow = useSignal(false);
  const armed = useSignal(armedAfterMilliseconds === 0);
  const there = useRef(true);
  useEffect(() => {
    const arming = setTimeout(() => (armed.value = true), armedAfterMilliseconds);
    return () => {
      there.current = false;
      clearTimeout(arming);
    };
  }, []);
  const press = async (): Promise<void> => {
    if (busy.value || !armed.value || given.disabled) return;
    const done = given.onPress();
    if (!(done instanceof Promise)) return;
    busy.value = true;
    const slowness = setTimeout(() => (slow.value = true), SLOW_MILLISECONDS);
    try {
      await done;
    } finally {
      clearTimeout(slowness);
      if (there.current) busy.value = slow.value = false;
    }
  };
  return (
    <button
      type="button"
      id={given.id}
      ref={given.focusRef}
      class={`button ${look}${wide ? " wide" : ""}`}
      aria-disabled={given.disabled || !armed.value || busy.value || undefined}
      aria-busy={busy.value || undefined}
      aria-label={given.name}
      aria-describedby={given.describedBy}
      onClick={press}
    >
      {busy.value && <span class="spinner" aria-hidden="true" />}
      <span class="face">{given.children}</span>
      {slow.value && (
        <span class="slow" role="status">
          {shared.value.slow}
        </span>
      )}
    </button>
  );
}

interface HoldProps {
  readonly onHeld: () => unknown;
  /** A short press, or a press by the keyboard or a screen reader: ask in words instead. */
  readonly onAsk: () => void;
  readonly children: ComponentChildren;
  readonly disabled?: boolean;
  readonly hint?: string;
}

export const HOLD_MILLISECONDS = 1_000;

/** Acts after being held down for a second, by pointer; everyone else is asked to confirm. */
export function HoldButton({ onHeld, onAsk, children, disabled = false, hint }: HoldProps) {
  const holding = useSignal(false);
  const timer = useRef<ReturnType<typeof setTimeout>>();
  const wasHeld = useRef(false);
  const begin = (press: JSX.TargetedPointerEvent<HTMLButtonElement>): void => {
    if (disabled || press.button !== 0) return;
    wasHeld.current = false;
    holding.value = true;
    timer.current = setTimeout(() => {
      wasHeld.current = true;
      holding.value = false;
      onHeld();
    }, HOLD_MILLISECONDS);
  };
  const release = (): void => {
    clearTimeout(timer.current);
    holding.value = false;
  };
  useEffect(() => release, []);
  const click = (): void => {
    if (!wasHeld.current && !disabled) onAsk();
    wasHeld.current = false;
  };
  return (
    <button
      type="button"
      class={`button danger hold${holding.value ? " holding" : ""}`}
      aria-disabled={disabled || undefined}
      onPointerDown={begin}
      onPointerUp={release}
      onPointerLeave={release}
      onPointerCancel={release}
      onContextMenu={(menu) => menu.preventDefault()}
      onClick={click}
    >
      <span class="face">{children}</span>
      <small>{hint ?? shared.value.hold}</small>
    </button>
  );
}
