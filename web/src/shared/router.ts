/** Addresses are screens: a reload, a shared link and the back button all work. */
import { signal } from "@preact/signals";

export const path = signal(location.pathname);

addEventListener("popstate", () => (path.value = location.pathname));

export function go(to: string, how: "push" | "replace" = "push"): void {
  if (to === location.pathname) return;
  history[how === "push" ? "pushState" : "replaceState"](null, "", to);
  path.value = location.pathname;
  scrollTo(0, 0);
}

/** A screen's address with its parts: `/call/orders/:order`. Null when it is another one. */
export function matching(pattern: string, address: string): Record<string, string> | null {
  const wanted = pattern.split("/");
  const given = address.replace(/\/+$/, "").split("/");
  if (wanted.length !== given.length) return null;
  const parts: Record<string, string> = {};
  for (const [place, one] of wanted.entries()) {
    const found = given[place] ?? "";
    if (one.startsWith(":")) parts[one.slice(1)] = decodeURIComponent(found);
    else if (one !== found) return null;
  }
  return parts;
}

/** Follow links to our own screens without loading the page anew. */
export function followLinks(base: string): void {
  document.addEventListener("click", (click) => {
    if (click.defaultPrevented || click.button !== 0) return;
    if (click.metaKey || click.ctrlKey || click.shiftKey || click.altKey) return;
    const link = (click.target as Element | null)?.closest?.("a[href]");
    if (!(link instanceof HTMLAnchorElement) || link.target || link.origin !== location.origin)
      return;
    if (link.pathname !== base && !link.pathname.startsWith(`${base}/`)) return;
    click.preventDefault();
    go(link.pathname);
  });
}
