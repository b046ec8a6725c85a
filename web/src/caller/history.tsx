/** All my calls, newest first. */
import { useSignal } from "@preact/signals";
import type { OrderView, ProgramView } from "../shared/api/schema.ts";
import { Button } from "../shared/components/button.tsx";
import { Freshness, Loading, Unread } from "../shared/components/showing.tsx";
import { inWords } from "../shared/refusals.ts";
import { api, live } from "./account.ts";
import { OrderLink } from "./home.tsx";
import { useReading } from "./use-reading.ts";
import { words } from "./words.ts";

interface Found {
  readonly orders: readonly OrderView[];
  readonly programs: readonly ProgramView[];
}

const PAGE = 20;

export function History() {
  const found = useSignal<Found | null>(null);
  const older = useSignal<readonly OrderView[]>([]);
  const next = useSignal<string | null>(null);
  const reading = useReading(async () => {
    const [orders, programs] = await Promise.all([
      api("GET /v1/orders", { query: { limit: PAGE } }),
      api("GET /v1/programs"),
    ]);
    found.value = { orders: orders.items, programs: programs.items };
    if (older.peek().length === 0) next.value = orders.next_cursor;
  }, []);
  const say = words.value;
  const more = async (): Promise<void> => {
    const cursor = next.value ?? undefined;
    const page = await api("GET /v1/orders", { query: { limit: PAGE, cursor } });
    older.value = [...older.value, ...page.items];
    next.value = page.next_cursor;
  };
  if (!found.value && reading.fault.value)
    return <Unread text={inWords(reading.fault.value)} again={() => reading.now()} />;
  if (!found.value) return <Loading />;
  const { orders, programs } = found.value;
  const shown = new Map([...orders, ...older.value].map((order) => [order.id, order]));
  return (
    <div class="stack">
      <Freshness reading={reading} live={live} />
      <h1>{say.historyTitle}</h1>
      {shown.size === 0 && (
        <>
          <p class="soft">{say.noHistory}</p>
          <a class="button plain" href="/call">
            {say.services}
          </a>
        </>
      )}
      <ul class="stack tight">
        {[...shown.values()].map((order) => (
          <li key={order.id}>
            <OrderLink order={order} programs={programs} />
          </li>
        ))}
      </ul>
      {next.value !== null && <Button onPress={more}>{say.older}</Button>}
    </div>
  );
}
