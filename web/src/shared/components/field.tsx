/** Form fields: a visible label, a hint, and a fault that is said where it is. */
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import type { Signal } from "@preact/signals";
import { shared } from "../words.ts";

interface Around {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly fault?: string | null | undefined;
  readonly optional?: boolean | undefined;
}

function described(id: string, { hint, fault }: Around): string | undefined {
  const parts = [hint && `${id}-hint`, fault && `${id}-fault`].filter(Boolean);
  return parts.length ? parts.join(" ") : undefined;
}

function Frame({ id, children, ...around }: Around & { id: string; children: ComponentChildren }) {
  return (
    <div class={around.fault ? "field wrong" : "field"}>
      <label for={id}>
        {around.label}
        {around.optional && <small> · {shared.value.optional}</small>}
      </label>
      {children}
      {around.hint && (
        <p class="hint" id={`${id}-hint`}>
          {around.hint}
        </p>
      )}
      {around.fault && (
        <p class="fault" id={`${id}-fault`} role="alert">
          {around.fault}
        </p>
      )}
    </div>
  );
}

interface InputProps extends Around {
  readonly value: Signal<string>;
  readonly id?: string;
  readonly type?:
    | "text"
    | "tel"
    | "email"
    | "password"
    | "search"
    | "date"
    | "month"
    | "number"
    | "datetime-local";
  readonly min?: string;
  readonly max?: string;
  readonly autocomplete?: string;
  readonly inputMode?: "text" | "tel" | "numeric" | "email";
  readonly maxLength?: number;
  readonly placeholder?: string;
  readonly onInput?: (value: string) => void;
  readonly first?: boolean;
}

export function Field({ value, type = "text", ...given }: InputProps) {
  const made = useId();
  const id = given.id ?? made;
  return (
    <Frame {...given} id={id}>
      <input
        id={id}
        type={type}
        min={given.min}
        max={given.max}
        value={value.value}
        autocomplete={given.autocomplete}
        inputMode={given.inputMode}
        maxLength={given.maxLength}
        placeholder={given.placeholder}
        data-first={given.first || undefined}
        aria-invalid={given.fault ? true : undefined}
        aria-describedby={described(id, given)}
        onInput={(input) => {
          value.value = input.currentTarget.value;
          given.onInput?.(input.currentTarget.value);
        }}
      />
    </Frame>
  );
}

interface AreaProps extends Around {
  readonly value: Signal<string>;
  readonly id?: string;
  readonly rows?: number;
  readonly maxLength?: number;
  readonly onInput?: (value: string) => void;
}

export function TextArea({ value, rows = 4, ...given }: AreaProps) {
  const made = useId();
  const id = given.id ?? made;
  return (
    <Frame {...given} id={id}>
      <textarea
        id={id}
        rows={rows}
        value={value.value}
        maxLength={given.maxLength}
        aria-invalid={given.fault ? true : undefined}
        aria-describedby={described(id, given)}
        onInput={(input) => {
          value.value = input.currentTarget.value;
          given.onInput?.(input.currentTarget.value);
        }}
      />
    </Frame>
  );
}

export interface Option {
  readonly value: string;
  readonly label: ComponentChildren;
  readonly note?: ComponentChildren;
  readonly end?: ComponentChildren;
  readonly disabled?: boolean;
}

interface ChoiceProps {
  readonly legend: string;
  readonly options: readonly Option[];
  readonly chosen: string | null;
  readonly onChoose: (value: string) => void;
  readonly layout?: "list" | "chips" | "cards";
  readonly fault?: string | null;
  readonly hideLegend?: boolean;
}

/** One of several. */
export function Choice({ layout = "list", ...given }: ChoiceProps) {
  const name = useId();
  return (
    <fieldset class={`choices ${layout}${given.fault ? " wrong" : ""}`}>
      <legend class={given.hideLegend ? "unseen" : undefined}>{given.legend}</legend>
      <div>
        {given.options.map((option) => (
          <label key={option.value} class="choice">
            <input
              type="radio"
              name={name}
              value={option.value}
              checked={given.chosen === option.value}
              disabled={option.disabled}
              onChange={() => given.onChoose(option.value)}
            />
            <Inside option={option} />
          </label>
        ))}
      </div>
      {given.fault && (
        <p class="fault" role="alert">
          {given.fault}
        </p>
      )}
    </fieldset>
  );
}

interface ChoicesProps {
  readonly legend: string;
  readonly options: readonly Option[];
  readonly chosen: readonly string[];
  readonly onChange: (values: string[]) => void;
  readonly layout?: "list" | "chips" | "cards";
}

/** Any of several. */
export function Choices({ layout = "chips", ...given }: ChoicesProps) {
  const toggle = (value: string): void => {
    const others = given.chosen.filter((one) => one !== value);
    given.onChange(others.length === given.chosen.length ? [...others, value] : others);
  };
  return (
    <fieldset class={`choices ${layout}`}>
      <legend>{given.legend}</legend>
      <div>
        {given.options.map((option) => (
          <label key={option.value} class="choice">
            <input
              type="checkbox"
              value={option.value}
              checked={given.chosen.includes(option.value)}
              disabled={option.disabled}
              onChange={() => toggle(option.value)}
            />
            <Inside option={option} />
          </label>
        ))}
      </div>
    </fieldset>
  );
}

function Inside({ option }: { option: Option }) {
  return (
    <>
      <span class="body">
        <span class="title">{option.label}</span>
        {option.note && <small>{option.note}</small>}
      </span>
      {option.end && <span class="end">{option.end}</span>}
    </>
  );
}
