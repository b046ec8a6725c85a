/** The caller's frame: who we are, where to go, and whom to call when it cannot wait. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Announcer } from "../shared/components/announcing.tsx";
import {
  Brand,
  LanguageSwitch,
  Loading,
  Missing,
  SkipLink,
  Title,
  Unread,
} from "../shared/components/showing.tsx";
import { inWords } from "../shared/refusals.ts";
import { matching, path } from "../shared/router.ts";
import { askWhich, device } from "./account.ts";
import { Choosing } from "./choosing.tsx";
import { Claiming } from "./claiming.tsx";
import { History } from "./history.tsx";
import { Home } from "./home.tsx";
import { OrderScreen } from "./order.tsx";
import { Verify } from "./verify.tsx";
import { words } from "./words.ts";

export function App() {
  return (
    <>
      <Title text={words.value.title} />
      <SkipLink />
      <Announcer />
      <header class="top">
        <Brand href="/call" />
        {device.value && (
          <nav aria-label={words.value.nav}>
            <NavLink href="/call" text={words.value.home} />
            <NavLink href="/call/history" text={words.value.history} />
          </nav>
        )}
        <LanguageSwitch />
      </header>
      <main id="main" tabIndex={-1}>
        <Screen />
      </main>
      <Help />
    </>
  );
}

function NavLink({ href, text }: { href: string; text: string }) {
  return (
    <a href={href} aria-current={path.value.replace(/\/$/, "") === href ? "page" : undefined}>
      {text}
    </a>
  );
}

function Screen() {
  const at = path.value;
  if (device.value === undefined) return <WhosePhone />;
  if (device.value === null) return <Verify />;
  if (matching("/call", at)) return <Home />;
  if (matching("/call/history", at)) return <History />;
  const fresh = matching("/call/new/:program", at);
  if (fresh) return <Choosing key={at} program={fresh["program"] ?? ""} order={null} />;
  const order = matching("/call/orders/:order", at)?.["order"];
  if (order) return <OrderScreen key={order} id={order} />;
  const claimed = matching("/call/orders/:order/claim", at)?.["order"];
  if (claimed) return <Claiming key={claimed} id={claimed} />;
  return <Missing home="/call" />;
}

/** Shown only where the browser kept nothing: the cookie may still be there. */
function WhosePhone() {
  const fault = useSignal<string | null>(null);
  const ask = async (): Promise<void> => {
    try {
      fault.value = null;
      await askWhich();
    } catch (refused) {
      fault.value = inWords(refused);
    }
  };
  useEffect(() => void ask(), []);
  return fault.value === null ? <Loading /> : <Unread text={fault.value} again={ask} />;
}

/** Numbers that answer when nothing else does. A tap dials them; no service of ours is needed. */
function Help() {
  const say = words.value;
  const lines = [
    ["12356", say.hotline],
    ["110", say.police],
    ["120", say.ambulance],
  ] as const;
  return (
    <footer class="help">
      <p>{say.helpNow}</p>
      <ul>
        {lines.map(([number, name]) => (
          <li key={number}>
            <a href={`tel:${number}`}>
              <b>{number}</b> {name}
            </a>
          </li>
        ))}
      </ul>
    </footer>
  );
}
