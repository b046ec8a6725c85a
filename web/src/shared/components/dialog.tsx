/** A question in front of everything else. The browser keeps the focus inside; Escape leaves. */
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { shared } from "../words.ts";
import { Icon } from "./icons.tsx";

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
  /** An alert asks for a decision; it has no cross in its corner. */
  readonly alert?: boolean;
}

export function Dialog({ title, onClose, children, alert = false }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const label = useId();
  useEffect(() => {
    const dialog = element.current;
    const before = document.activeElement as HTMLElement | null;
    // Web views older than <dialog> show it in the page's flow.
    if (dialog && typeof dialog.showModal === "function") dialog.showModal();
    else dialog?.setAttribute("open", "");
    dialog?.querySelector<HTMLElement>("[data-first]")?.focus();
    return () => {
      dialog?.close?.();
      if (before?.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={element}
      class="dialog"
      role={alert ? "alertdialog" : "dialog"}
      aria-labelledby={label}
      onCancel={(cancel) => {
        cancel.preventDefault();
        onClose();
      }}
    >
      <header>
        <h2 id={label}>{title}</h2>
        {!alert && (
          <button
            type="button"
            class="button quiet round"
            aria-label={shared.value.close}
            onClick={onClose}
          >
            <Icon name="cross" />
          </button>
        )}
      </header>
      {children}
    </dialog>
  );
}
