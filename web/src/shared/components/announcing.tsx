/** What changed, said once by screen readers. */
import { signal } from "@preact/signals";

const polite = signal("");
const urgent = signal("");

/** Said when the reader pauses. The same words twice are said twice. */
export function announce(text: string): void {
  polite.value = polite.peek() === text ? `${text}\u00a0` : text;
}

/** Said at once. */
export function alarm(text: string): void {
  urgent.value = urgent.peek() === text ? `${text}\u00a0` : text;
}

export function Announcer() {
  return (
    <div class="unseen">
      <p role="status" aria-live="polite">
        {polite.value}
      </p>
      <p role="alert" aria-live="assertive">
        {urgent.value}
      </p>
    </div>
  );
}
