// Elements, and parts that are built anew only when they say something new.

import { state } from "./state.js";

const GLYPHS = {
  phone: "M6.6 3.5 9 8 7.2 10.2a13 13 0 0 0 6.6 6.6L16 15l4.5 2.4-.6 3.1C11 22 2 13 3.5 4.1z",
  off: "M12 3v8M6.3 6.3a8 8 0 1 0 11.4 0",
};

export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child != null && child !== false));
  return node;
}
export const button = (id, words, onclick, kind = "", props = {}) => h("button", { type: "button", id, class: kind, onclick, ...props }, words);
const shown = new Map();
/** Builds a part anew only when what it says has changed, and leaves the focus where it was. */
export function part(node, key, build) {
  const said = JSON.stringify([state.language, key]);
  if (shown.get(node) === said) return;
  shown.set(node, said);
  const focus = node.contains(document.activeElement) ? document.activeElement.id : null;
  node.replaceChildren(...[build()].flat().filter(Boolean));
  if (focus) document.getElementById(focus)?.focus();
}
export function glyph(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", GLYPHS[name]);
  svg.append(path);
  return h("span", { class: "glyph", "aria-hidden": "true" }, svg);
}
export function choice(group, value, checked, onchange, label, note, disabled = false) {
  return h("label", { class: "choice" },
    h("input", { type: "radio", name: group, id: `${group}-${value}`, value, checked, disabled, onchange }), label, note);
}
