/** A list that grows by a page when more is wanted, and is read anew as a whole. */
import { signal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { Reading } from "../shared/reading.ts";
import { useReading } from "./use-reading.ts";

interface Page<Item> {
  readonly items: readonly Item[];
  readonly next_cursor: string | null;
}
type ReadPage<Item> = (after: { cursor?: string }) => Promise<Page<Item>>;

interface Pages<Item> {
  /** What was read so far; null before the first reading. */
  readonly items: readonly Item[] | null;
  readonly hasMore: boolean;
  readonly more: () => Promise<void>;
  readonly reading: Reading;
}

export function usePages<Item>(read: ReadPage<Item>, on: readonly unknown[]): Pages<Item> {
  const list = useMemo(
    () => ({ pages: 1, items: signal<readonly Item[] | null>(null), hasMore: signal(false) }),
    on,
  );
  const reading = useReading(async () => {
    const found: Item[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < list.pages; page += 1) {
      const told = await read(cursor === undefined ? {} : { cursor });
      found.push(...told.items);
      cursor = told.next_cursor ?? undefined;
      if (cursor === undefined) break;
    }
    list.hasMore.value = cursor !== undefined;
    list.items.value = found;
  }, on);
  const more = (): Promise<void> => {
    list.pages += 1;
    return reading.now();
  };
  return { items: list.items.value, hasMore: list.hasMore.value, more, reading };
}
