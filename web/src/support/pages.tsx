/** Support's pages: the queue by deadline, a case on one screen, and the search. */
import { matching, path } from "../shared/router.ts";
import { Missing } from "../shared/components/showing.tsx";
import { ClaimCase } from "./claim.tsx";
import { OrderCase } from "./order.tsx";
import { Queue } from "./queue.tsx";
import { Search } from "./search.tsx";
import "./support.css";
import { words } from "./words.ts";

export function Pages() {
  const at = path.value.replace(/\/$/, "");
  return (
    <>
      <Tabs at={at} />
      <Screen at={at} />
    </>
  );
}

function Tabs({ at }: { at: string }) {
  const say = words.value;
  const tabs = [
    ["/support", say.queue],
    ["/support/search", say.search],
  ] as const;
  return (
    <nav class="tabs" aria-label={say.nav}>
      {tabs.map(([to, name]) => (
        <a key={to} href={to} aria-current={at === to ? "page" : undefined}>
          {name}
        </a>
      ))}
    </nav>
  );
}

function Screen({ at }: { at: string }) {
  const claim = matching("/support/claims/:claim", at)?.["claim"];
  const order = matching("/support/orders/:order", at)?.["order"];
  if (claim !== undefined) return <ClaimCase key={claim} claim={claim} />;
  if (order !== undefined) return <OrderCase key={order} order={order} />;
  if (matching("/support", at)) return <Queue />;
  if (matching("/support/search", at)) return <Search />;
  return <Missing home="/support" />;
}
