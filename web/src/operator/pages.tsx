/** The operator's pages: what is offered, who may come in, what is issued, and how it all is. */
import type { ComponentType } from "preact";
import { path } from "../shared/router.ts";
import { Missing } from "../shared/components/showing.tsx";
import { HealthPage } from "./health.tsx";
import "./operator.css";
import { People } from "./people.tsx";
import { Policies } from "./policies.tsx";
import { Programs } from "./programs.tsx";
import { Reports } from "./reports.tsx";
import { Vouchers } from "./vouchers.tsx";
import { words } from "./words.ts";

const SCREENS = [
  ["/operator", "health", HealthPage],
  ["/operator/programs", "programs", Programs],
  ["/operator/policies", "policies", Policies],
  ["/operator/vouchers", "vouchers", Vouchers],
  ["/operator/people", "people", People],
  ["/operator/reports", "reports", Reports],
] as const satisfies readonly (readonly [string, string, ComponentType])[];

export function Pages() {
  const say = words.value;
  const at = path.value.replace(/\/$/, "");
  const Screen = SCREENS.find(([to]) => to === at)?.[2];
  return (
    <>
      <nav class="tabs" aria-label={say.nav}>
        {SCREENS.map(([to, name]) => (
          <a key={to} href={to} aria-current={at === to ? "page" : undefined}>
            {say[name]}
          </a>
        ))}
      </nav>
      {Screen ? <Screen /> : <Missing home="/operator" />}
    </>
  );
}
