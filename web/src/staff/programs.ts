/** What the programs are called: asked once, by whoever shows one first. */
import { signal } from "@preact/signals";
import type { TextView } from "../shared/api/schema.ts";
import { inBoth } from "../shared/language.ts";
import { api } from "./account.ts";

const names = signal<ReadonlyMap<string, TextView>>(new Map());
let isAsked = false;

function ask(): void {
  if (isAsked) return;
  isAsked = true;
  void api("GET /v1/programs")
    .then(({ items }) => (names.value = new Map(items.map((one) => [one.id, one.name]))))
    .catch(() => (isAsked = false)); // the next one who shows a program asks again
}

/** A program's name; its id as long as nothing better is known. */
export function programTitle(id: string): string {
  ask();
  const name = names.value.get(id);
  return name ? inBoth(name) : id;
}
