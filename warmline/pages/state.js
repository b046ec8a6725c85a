// What the page knows at this moment. Whoever learns something writes it here; painting reads it.

export const LIVE = ["open", "in_call", "interrupted"];

export const state = {
  demo: null, // what `/demo/start` told
  ahead: 0, // milliseconds by which the demo's clock runs ahead of the browser's
  language: localStorage.getItem("language") ?? "zh-CN", token: localStorage.getItem("device"),
  verification: null, code: "", program: null, counselor: null, voucher: null, programs: [],
  counselors: [], order: null, lines: [], handsets: new Map(), messages: [], evidence: null,
  faults: "good", busy: false, automatic: new Map(), seen: 0, staff: null,
};
