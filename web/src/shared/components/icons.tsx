/** Our own few pictures: 24 x 24, drawn by lines, silent for screen readers. */
const PATHS = {
  phone:
    "M5 3.5h3.2l1.6 4.3-2 1.4a12.5 12.5 0 0 0 6 6l1.4-2 4.3 1.6V18a2.5 2.5 0 0 1-2.7 2.5A16.8 16.8 0 0 1 2.5 6.2 2.5 2.5 0 0 1 5 3.5Z",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Zm0-14v5l3.2 2",
  check: "m5 12.5 4.5 4.5L19 7.5",
  cross: "M6 6l12 12M18 6 6 18",
  back: "M14.5 5.5 8 12l6.5 6.5",
  forward: "m9.5 5.5 6.5 6.5-6.5 6.5",
  ticket:
    "M3.5 7h17v3.2a1.9 1.9 0 0 0 0 3.6V17h-17v-3.2a1.9 1.9 0 0 0 0-3.6V7Zm10.5 0v2m0 2.5v1m0 2.5v2",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8Zm-7.5 8.5c.6-4 3.6-6 7.5-6s6.9 2 7.5 6",
  shield: "M12 3 4.5 6v5.5c0 4.5 3 7.8 7.5 9.5 4.5-1.7 7.5-5 7.5-9.5V6L12 3Z",
  alert: "M12 4 2.5 20h19L12 4Zm0 6.5v4m0 2.5v.5",
  note: "M5 3.5h10l4 4v13H5v-17Zm9.5.5v4h4M8.5 12h7m-7 3.5h5",
  star: "m12 3.5 2.6 5.4 5.9.8-4.3 4.1 1 5.9-5.2-2.8-5.2 2.8 1-5.9L3.5 9.7l5.9-.8L12 3.5Z",
  sound: "M4 9.5v5h3.5l4.5 4v-13l-4.5 4H4Zm12-1a5 5 0 0 1 0 7m2.5-9.5a8.5 8.5 0 0 1 0 12",
  bell: "M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 1.5h-15L6 16.5Zm4 3.5a2 2 0 0 0 4 0",
  line: "M3 12h3l2.5-6 4 12 3-9 1.5 3h4",
  pause: "M8.5 5v14m7-14v14",
  search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13Zm5-1.5 5 5",
  refresh: "M19.5 12a7.5 7.5 0 1 1-2.2-5.3M19.5 4v4h-4",
  list: "M8.5 6.5h11m-11 5.5h11m-11 5.5h11M4.5 6.5h.5m-.5 5.5h.5m-.5 5.5h.5",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, filled = false }: { name: IconName; filled?: boolean }) {
  return (
    <svg
      class={filled ? "icon filled" : "icon"}
      viewBox="0 0 24 24"
      aria-hidden="true"
      focusable="false"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The mark of the house: a warm point on a line. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <path d="M3 20.5c5.5 0 5-9 11-9s5.5 9 15 9" />
      <circle cx="14" cy="11.5" r="4.5" />
    </svg>
  );
}
