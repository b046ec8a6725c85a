/** The supervisor's pages: what goes on, how the day went, and who carries it. */
import { live } from "../staff/account.ts";
import { matching, path } from "../shared/router.ts";
import { Missing } from "../shared/components/showing.tsx";
import { Heat } from "./heat.tsx";
import { People } from "./people.tsx";
import "./supervisor.css";
import { Wallboard } from "./wallboard.tsx";
import { words } from "./words.ts";

const SCREENS = [
  ["/supervisor", "board"],
  ["/supervisor/heat", "heat"],
  ["/supervisor/people", "people"],
] as const;

export function Pages() {
  const say = words.value;
  const at = path.value.replace(/\/$/, "");
  return (
    <>
      <nav class="tabs" aria-label={say.nav}>
        {SCREENS.map(([to, name]) => (
          <a key={to} href={to} aria-current={at === to ? "page" : undefined}>
            {say[name]}
          </a>
        ))}
      </nav>
      {matching("/supervisor", at) ? (
        <Wallboard live={live} />
      ) : matching("/supervisor/heat", at) ? (
        <Heat />
      ) : matching("/supervisor/people", at) ? (
        <People />
      ) : (
        <Missing home="/supervisor" />
      )}
    </>
  );
}
