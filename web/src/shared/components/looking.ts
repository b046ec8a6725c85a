/** After a press that was in vain: bring what is marked into view, with the focus in it. */
export function lookAtFault(): void {
  requestAnimationFrame(() => {
    const marked = document.querySelector<HTMLElement>(".field.wrong, .choices.wrong");
    marked?.querySelector<HTMLElement>("input, textarea")?.focus({ preventScroll: true });
    marked?.scrollIntoView({ block: "center" });
  });
}
