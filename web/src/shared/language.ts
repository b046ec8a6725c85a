/** Two languages, one set of keys: a text that is missing in one of them does not compile. */
import { computed, effect, signal, type ReadonlySignal } from "@preact/signals";

export type Language = "zh-CN" | "en";

const KEPT = "warmline.language";

function preferred(): Language {
  const kept = readKept();
  if (kept) return kept;
  for (const one of navigator.languages ?? [navigator.language]) {
    if (one.startsWith("zh")) return "zh-CN";
    if (one.startsWith("en")) return "en";
  }
  return "zh-CN";
}

function readKept(): Language | null {
  try {
    const kept = localStorage.getItem(KEPT);
    return kept === "zh-CN" || kept === "en" ? kept : null;
  } catch {
    return null;
  }
}

export const language = signal<Language>(preferred());

export function speak(chosen: Language): void {
  language.value = chosen;
  try {
    localStorage.setItem(KEPT, chosen);
  } catch {
    // A browser that keeps nothing asks again next time.
  }
}

effect(() => {
  document.documentElement.lang = language.value;
});

/** The texts of one part of the pages. `en` must have exactly the keys of `zh`. */
export function catalogue<Texts extends object>(
  zh: Texts,
  en: NoInfer<Texts>,
): ReadonlySignal<Texts> {
  return computed(() => (language.value === "en" ? en : zh));
}

/** A text of the service, which comes in both languages. */
export function inBoth(text: { readonly zh: string; readonly en: string }): string {
  return language.value === "en" ? text.en : text.zh;
}
