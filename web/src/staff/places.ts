/** The consoles, who may enter which, and where their pages come from: each loads by itself. */
import type { ComponentType } from "preact";
import type { StaffRole } from "../shared/api/schema.ts";

export const PLACES = ["desk", "support", "supervisor", "operator"] as const;
export type Place = (typeof PLACES)[number];

export const ADMITS: Record<Place, readonly StaffRole[]> = {
  desk: ["counselor"],
  support: ["support", "supervisor"],
  supervisor: ["supervisor"],
  operator: ["operator"],
};

interface Pages {
  readonly Pages: ComponentType;
}

export const LOADS: Record<Place, () => Promise<Pages>> = {
  desk: () => import("../counselor/pages.tsx"),
  support: () => import("../support/pages.tsx"),
  supervisor: () => import("../supervisor/pages.tsx"),
  operator: () => import("../operator/pages.tsx"),
};

/** What a counselor has on every page, whichever console it belongs to. */
export const loadEverywhere = () => import("../counselor/everywhere.tsx");
export type Everywhere = Awaited<ReturnType<typeof loadEverywhere>>;

export function placeOf(path: string): Place {
  const first = path.split("/")[1];
  return PLACES.find((one) => one === first) ?? "desk";
}
