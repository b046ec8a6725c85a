// The page at `/`: a newcomer's call from a pressed button to its verdict. It only talks to this service.

const $ = (id) => document.getElementById(id);
const ZONE = "Asia/Shanghai";
const LIVE = ["open", "in_call", "interrupted"];
const FAULTS = {
  good: {}, lossy: { lose: 0.2 }, late: { delay_ms: 1500, duplicate: 0.5, reorder: 0.3 },
  refusing: { refuse: 0.2, unknown: 0.1 }, silent: { half_open: 1 },
};
const GLYPHS = {
  phone: "M6.6 3.5 9 8 7.2 10.2a13 13 0 0 0 6.6 6.6L16 15l4.5 2.4-.6 3.1C11 22 2 13 3.5 4.1z",
  off: "M12 3v8M6.3 6.3a8 8 0 1 0 11.4 0",
};

let texts = {};
let demo = null;
let socket = null;
let ahead = 0; // milliseconds by which the demo's clock runs ahead of the browser's
const state = {
  language: localStorage.getItem("language") ?? "zh-CN", token: localStorage.getItem("device"),
  verification: null, code: "", program: null, counselor: null, voucher: null, programs: [],
  counselors: [], order: null, lines: [], handsets: new Map(), messages: [], evidence: null,
  faults: "good", busy: false, automatic: new Map(), seen: 0, staff: null,
};

// -- words and time ---------------------------------------------------------------------------

const t = (key, ...values) =>
  (texts[state.language]?.[key] ?? key).replace(/\{(\d)\}/g, (_, place) => values[place]);
const known = (key) => texts[state.language]?.[key];
const both = (text) => (state.language === "en" ? text.en : text.zh);
const now = () => Date.now() + ahead;
const clock = (at, seconds = true) => new Intl.DateTimeFormat(state.language, {
  timeZone: ZONE, hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...(seconds && { second: "2-digit" }),
}).format(new Date(at));
const day = (at) => new Intl.DateTimeFormat(state.language, {
  timeZone: ZONE, month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
}).format(new Date(at));
const digits = (seconds) => {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
};
const hear = (at) => { ahead = Math.max(ahead, Date.parse(at) - Date.now()); };

// -- asking the service -----------------------------------------------------------------------

async function ask(method, path, body, token) {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers: { ...(body && { "Content-Type": "application/json" }), ...(token && { Authorization: `Bearer ${token}` }) },
      body: body && JSON.stringify(body),
    });
  } catch {
    throw Object.assign(new Error(t("offline")), { away: true });
  }
  const found = answer.status === 204 ? null : await answer.json().catch(() => null);
  if (answer.ok) return found;
  const words = known(`refusal_${found?.code}`) ?? found?.detail ?? found?.title ?? String(answer.status);
  throw Object.assign(new Error(words), { code: found?.code, status: answer.status });
}
const mine = (method, path, body) => ask(method, path, body, state.token);
const hand = (number, act, body) => ask("POST", `/sim/handsets/${encodeURIComponent(number)}/${act}`, body);
const script = (number, body) => ask("PUT", `/sim/handsets/${encodeURIComponent(number)}`, body);

/** Does something a person asked for: one thing at a time, and a refusal is told in words. */
async function act(work) {
  if (state.busy) return;
  state.busy = true;
  tell(null);
  document.body.setAttribute("aria-busy", "true");
  try {
    await work();
  } catch (refused) {
    if (refused.status === 401 || refused.code === "device_not_verified") forget();
    tell(refused.message);
  } finally {
    state.busy = false;
    document.body.removeAttribute("aria-busy");
  }
  await refresh();
}
function tell(words) {
  $("trouble").hidden = !words;
  $("trouble").textContent = words ?? "";
}
function forget() {
  localStorage.removeItem("device");
  socket?.close();
  Object.assign(state, { token: null, verification: null, order: null, lines: [] });
}

// -- what is true now -------------------------------------------------------------------------

let refreshing = null;
let again = false;
/** Reads everything the page shows; calls in between are joined to one more reading. */
async function refresh() {
  again = true;
  refreshing ??= (async () => {
    try {
      while (again) {
        again = false;
        await Promise.all([readOrder(), readCatalogue(), readHandsets(), readMessages()]);
        paint();
      }
    } catch (away) {
      if (away.status === 401 || away.status === 404) forget();
      else if (!away.away) throw away;
    } finally {
      refreshing = null;
    }
  })();
  return refreshing;
}
async function readOrder() {
  if (!state.token) return;
  if (!state.order) {
    const { items } = await mine("GET", "/v1/orders");
    state.order = items.find((order) => LIVE.includes(order.state)) ?? null;
  } else {
    state.order = await mine("GET", `/v1/orders/${state.order.id}`);
  }
  if (!state.order) return;
  state.program = state.order.program;
  let after = state.lines.at(-1)?.seq ?? 0;
  for (let more = true; more; after = state.lines.at(-1)?.seq ?? 0) {
    const { items } = await mine("GET", `/v1/orders/${state.order.id}/events?limit=100&after=${after}`);
    items.forEach(note);
    more = items.length === 100;
  }
  await readVerdict();
}
async function readVerdict() {
  if (state.order.call) state.call = state.order.call.id;
  if (!state.call || state.order.call) return;
  if (state.evidence?.id === state.call && state.evidence.verdict?.final) return;
  try {
    state.staff ??= (await ask("POST", "/v1/sessions", demo.support)).token;
    state.evidence = await ask("GET", `/v1/calls/${state.call}`, undefined, state.staff);
  } catch (refused) {
    if (refused.status !== 401) throw refused;
    state.staff = null; // the sign-in ran out: sign in again at the next look
  }
}
async function readCatalogue() {
  state.programs = (await ask("GET", "/v1/programs")).items;
  state.program ??= state.programs.find((one) => one.matching === "named")?.id ?? state.programs[0]?.id;
  const { items } = await ask("GET", `/v1/programs/${state.program}/counselors?limit=50`);
  state.counselors = items;
  const free = items.find((one) => one.id === state.counselor && one.state === "available");
  if (!free && !state.order) state.counselor = items.find((one) => one.state === "available")?.id ?? null;
  if (!state.order) demo = await ask("GET", "/demo/start");
}
async function readHandsets() {
  const found = await ask("GET", "/sim/handsets");
  state.handsets = new Map(found.map((phone) => [phone.number, phone]));
}
async function readMessages() {
  const masked = demo.caller.replace(/.{4}(?=.{4}$)/, "****");
  state.messages = (await ask("GET", "/sim/messages")).filter((one) => one.kind === "sms" && one.to === masked);
}
function note(line) {
  if (line.at) hear(line.at);
  if (!state.lines.some((one) => one.seq === line.seq)) state.lines.push(line);
  state.lines.sort((one, other) => one.seq - other.seq);
}

/** The live feed says that something happened; what it was is read again from the service. */
function listen() {
  if (socket || !state.token) return;
  socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/v1/live${state.seen ? `?after=${state.seen}` : ""}`);
  socket.onopen = () => socket.send(JSON.stringify({ type: "hello", token: state.token }));
  socket.onmessage = ({ data }) => {
    const told = JSON.parse(data);
    state.seen = told.seq;
    if (told.now) hear(told.now);
    if (told.type === "event" && told.order === state.order?.id) note(told);
    refresh();
  };
  socket.onclose = () => { socket = null; setTimeout(listen, 1000); };
}

// -- building what is shown -------------------------------------------------------------------

function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child != null && child !== false));
  return node;
}
const button = (id, words, onclick, kind = "", props = {}) => h("button", { type: "button", id, class: kind, onclick, ...props }, words);
const shown = new Map();
/** Builds a part anew only when what it says has changed, and leaves the focus where it was. */
function part(node, key, build) {
  const said = JSON.stringify([state.language, key]);
  if (shown.get(node) === said) return;
  shown.set(node, said);
  const focus = node.contains(document.activeElement) ? document.activeElement.id : null;
  node.replaceChildren(...[build()].flat().filter(Boolean));
  if (focus) document.getElementById(focus)?.focus();
}
function glyph(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", GLYPHS[name]);
  svg.append(path);
  return h("span", { class: "glyph", "aria-hidden": "true" }, svg);
}

function paint() {
  document.documentElement.lang = state.language;
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  $("language").textContent = state.language === "en" ? "中文" : "English";
  $("language").lang = state.language === "en" ? "zh-CN" : "en";
  const words = status();
  if ($("status").textContent !== words) $("status").textContent = words;
  paintStep();
  paintPhone($("caller"), demo.caller, t("you"), latestSms());
  paintPhone($("counselor"), counselorPhone()?.number, counselorPhone()?.name);
  paintTimeline();
  paintVerdict();
  part($("messages"), state.messages, () => state.messages.length
    ? state.messages.slice(0, 5).map((one) => h("li", {}, one.text, h("small", {}, h("time", { datetime: one.at }, day(one.at)))))
    : h("li", { class: "fine" }, t("no_messages")));
  part($("faults"), state.faults, () => [h("legend", {}, t("line_quality")), ...Object.keys(FAULTS).map((name) =>
    choice("quality", name, state.faults === name, () => act(async () => {
      await ask("PUT", "/sim/faults", FAULTS[name]);
      state.faults = name;
    }), h("span", {}, t(name))))]);
}
function status() {
  const { order } = state;
  if (!state.token) return t("status_verify");
  if (!order) return t("status_choose");
  if (!order.call) return t(`status_${order.state}`);
  if (order.call.state === "bridged" && [demo.caller, counselorPhone()?.number].some((number) => state.handsets.get(number)?.plugged_in === false)) return t("status_silent");
  if (order.call.state === "waiting") return t("status_waiting", clock(order.call.next_attempt_at, false));
  if (order.call.state === "queued") return t("status_queued", order.call.position ?? 1);
  return t(`status_${order.call.state}`);
}
function choice(group, value, checked, onchange, label, note, disabled = false) {
  return h("label", { class: "choice" },
    h("input", { type: "radio", name: group, id: `${group}-${value}`, value, checked, disabled, onchange }), label, note);
}

function paintStep() {
  const { order, verification } = state;
  if (!state.token) return part($("step"), ["verify", verification, latestSms()?.id], verifyStep);
  if (!order) return part($("step"), ["choose", state.program, state.counselor, state.counselors, state.programs, demo.vouchers], chooseStep);
  return part($("step"), ["call", order.id, order.state, order.call, order.remaining_seconds], callStep);
}
function verifyStep() {
  const send = button("send-code", t("send_code"), () => act(async () => {
    const before = latestSms()?.id;
    state.verification = { ...(await ask("POST", "/v1/device-verifications", { phone: demo.caller })), before };
  }), state.verification ? "" : "main big");
  const intro = [h("p", { class: "lead" }, t("verify_lead")), h("p", { class: "hint" }, t("verify_text"))];
  if (!state.verification) return [...intro, send];
  const code = h("input", { type: "text", id: "code", inputmode: "numeric", autocomplete: "one-time-code", maxlength: 6, value: codeOf(latestSms()) });
  const confirm = (event) => {
    event.preventDefault();
    return act(async () => {
      const { device_token } = await ask("POST", `/v1/device-verifications/${state.verification.id}/confirm`, { code: code.value.trim() });
      localStorage.setItem("device", device_token);
      Object.assign(state, { token: device_token, verification: null });
      listen();
    });
  };
  return [...intro, h("p", {}, t("code_sent")), h("form", { class: "row", onsubmit: confirm },
    h("label", { class: "field" }, h("span", {}, t("code")), code),
    h("button", { type: "submit", id: "confirm", class: "main" }, t("confirm"))), send];
}
const latestSms = () => state.messages.find((one) => Date.parse(one.at) > now() - 600_000);
function codeOf(sms) {
  if (!state.verification || !sms || sms.id === state.verification.before) return "";
  return sms.template === "verification_code" ? /\d{6}/.exec(sms.text)?.[0] ?? "" : "";
}

function chooseStep() {
  const program = state.programs.find((one) => one.id === state.program);
  const codes = demo.vouchers[program.id] ?? [];
  if (!codes.includes(state.voucher)) state.voucher = codes[0];
  const named = program.matching === "named";
  return [
    h("p", { class: "lead" }, t("choose_lead")),
    h("fieldset", {}, h("legend", {}, t("service")), h("div", { class: "tabs" }, ...state.programs.map((one) =>
      choice("program", one.id, one.id === program.id, () => { state.program = one.id; refresh(); },
        h("span", {}, both(one.name), h("small", {}, one.talk_seconds ? t("minutes", one.talk_seconds / 60) : t("uncapped"))))))),
    named ? h("fieldset", {}, h("legend", {}, t("counselor")), h("div", { class: "choices" }, ...state.counselors.map(counselorChoice)))
      : h("p", { class: "hint" }, t("pool_text")),
    program.needs_voucher && h("label", { class: "field" }, h("span", {}, t("voucher")),
      h("select", { id: "voucher", onchange: (event) => { state.voucher = event.target.value; } },
        ...codes.map((code) => h("option", { value: code, selected: code === state.voucher }, code)))),
    program.is_open ? button("open-order", t(program.needs_voucher ? "redeem" : "open_order"), () => act(openOrder), "main big", { disabled: named && !state.counselor })
      : h("div", { class: "row" }, h("p", {}, t("closed", day(program.opens_at))),
        button("skip", t("skip_to_open"), () => act(() => pass((Date.parse(program.opens_at) - now()) / 1000 + 1)), "main")),
    h("p", { class: "fine" }, both(program.disclaimer), " ", both(program.charge_notice)),
  ];
}
function counselorChoice(one) {
  const phone = demo.counselors.find((known) => known.id === one.id);
  const how = phone?.answers_after_seconds == null ? t("by_hand") : t("answers_after", phone.answers_after_seconds);
  return choice("counselor", one.id, one.id === state.counselor, () => { state.counselor = one.id; paint(); },
    h("span", {}, one.name, h("small", {}, one.credential), h("small", {}, how)),
    h("em", { class: one.state }, t(`state_${one.state}`)), one.state !== "available");
}
async function openOrder() {
  const program = state.programs.find((one) => one.id === state.program);
  state.lines = [];
  Object.assign(state, { call: null, evidence: null, left: null });
  state.order = await mine("POST", "/v1/orders", {
    program: program.id,
    ...(program.matching === "named" && { counselor: state.counselor }),
    ...(program.needs_voucher && { voucher: state.voucher }),
  });
}

function callStep() {
  const { order } = state;
  const path = `/v1/orders/${order.id}`;
  const stage = order.call?.state ?? order.state;
  const kind = stage === "bridged" ? "on" : stage === "parted" ? "off" : "";
  const place = ["ringing_first", "ringing_second", "bridged"].indexOf(stage === "parted" ? "bridged" : stage);
  const at = LIVE.includes(order.state) ? place : 3;
  const steps = ["track_first", "track_second", "track_talk", "track_end"];
  return [
    h("ol", { class: "track" }, ...steps.map((name, index) => h("li", {
      class: index < at ? "done" : index === at ? "now" : "", "aria-current": index === at && "step",
    }, t(name)))),
    h("div", { class: `left ${kind}` }, h("p", { class: "hint" }, t(LIVE.includes(order.state) ? "left" : "v_talked")),
      h("p", { class: "digits", id: "left" }, leftNow()), h("p", { class: "fine" }, deadline(order))),
    h("progress", { id: "bar", max: granted(), value: order.remaining_seconds ?? 0, "aria-label": t("left") }),
    ["open", "interrupted"].includes(order.state) && button("call", t(order.state === "open" ? "call" : "call_again"),
      () => act(() => mine("POST", `${path}/calls`, { phone: demo.caller })), "main big"),
    order.call?.state === "waiting" && button("call", t("call"), () => act(() => mine("POST", `${path}/calls`, { phone: demo.caller })), "main big"),
    order.call && button("hang-up", t("hang_up_app"), () => act(() => mine("DELETE", `${path}/calls/current`)), "end"),
    order.state === "open" && button("cancel", t("cancel_order"), () => act(() => mine("DELETE", path)), "quiet"),
    !LIVE.includes(order.state) && button("start-over", t("start_over"), () => act(async () => {
      Object.assign(state, { order: null, lines: [], counselor: null });
    }), "main big"),
  ];
}
const granted = () => state.programs.find((one) => one.id === state.order.program)?.talk_seconds ?? 1;
function deadline(order) {
  const until = order.state === "open" ? order.expires_at : order.resume_until;
  return until && LIVE.includes(order.state) && !order.call ? t("until", day(until)) : " ";
}
function leftNow() {
  const { order } = state;
  if (order.remaining_seconds == null) return t("uncapped");
  if (!LIVE.includes(order.state)) return digits(granted() - order.remaining_seconds);
  if (order.call?.ends_at) state.left = (Date.parse(order.call.ends_at) - now()) / 1000;
  const stands = order.call?.state === "parted" && state.left; // nobody's time runs while one is away
  return digits(order.call?.ends_at || stands ? state.left : order.remaining_seconds);
}

// -- phones, timeline, verdict ----------------------------------------------------------------

function counselorPhone() {
  const id = state.order?.counselor ?? (state.order ? null : state.counselor);
  const onCall = demo.counselors.find((one) => state.order?.call && state.handsets.get(one.number)?.call === state.order.call.id);
  return onCall ?? demo.counselors.find((one) => one.id === id);
}
function paintPhone(section, number, name, sms) {
  const phone = state.handsets.get(number);
  const automatic = state.automatic.get(number) ?? demo.counselors.some((one) => one.number === number && one.answers_after_seconds != null);
  const code = codeOf(sms);
  part(section.querySelector(".body"), [phone, name, automatic, sms?.id, code, state.order?.call?.state], () => number && phone ? [
    screen(section.id, phone, name, sms), hands(section.id, phone),
    h("label", { class: "auto" }, h("input", { type: "checkbox", id: `${section.id}-auto`, checked: automatic, onchange: () => act(async () => {
      await script(number, automatic ? { answers: "by_hand" } : { answers: "yes", after_seconds: 2, presses: "1" });
      state.automatic.set(number, !automatic);
    }) }), t("auto")),
  ] : h("div", { class: "handset" }, h("div", { class: "screen" }, glyph("phone"), h("p", { class: "what" }, t("nobody")))));
}
function screen(id, phone, name, sms) {
  const dead = phone.state === "in_call" && !phone.plugged_in;
  const words = dead ? "half_open" : !phone.plugged_in ? "powered_off" : phone.state;
  const heard = phone.heard.at(-1);
  const joined = state.order?.call?.state === "bridged";
  const prompt = heard && (known(`prompt_${heard}`) ?? (heard.startsWith("left_") ? t("prompt_left", heard.slice(5)) : heard));
  return h("div", { class: `handset ${phone.plugged_in ? phone.state : "off"}`, id: `${id}-handset`, "data-state": words },
    h("div", { class: "screen" },
      h("p", { class: "who" }, name), h("p", { class: "number" }, phone.number), glyph(phone.plugged_in ? "phone" : "off"),
      h("p", { class: "what" }, t(words)),
      phone.state !== "idle" && h("p", { class: "number" }, t("shows", phone.shows ?? t("unknown_caller"))),
      sms && phone.state === "idle" ? h("p", { class: "sms" }, h("b", {}, t("sms_from", clock(sms.at, false))), sms.text)
        : phone.state === "in_call" && h("p", { class: "talk" }, phone.hears.length ? t("hears") : prompt && !joined ? t("just_heard", prompt) : t("hears_none"))));
}
function hands(id, phone) {
  const does = (what, kind = "", wide = false) => button(`${id}-${what}`, t(what), () =>
    act(() => hand(phone.number, { reject: "hangup", hang_up: "hangup", plug_out: "plug-out", press_1: "press" }[what] ?? what,
      what === "press_1" ? { digits: "1" } : undefined)), `${kind}${wide ? " wide" : ""}`);
  const plug = button(`${id}-plug_in`, t("plug_in"), () => act(() => script(phone.number, { answers: "by_hand" })), "wide");
  if (!phone.plugged_in) return h("div", { class: "hands" }, plug);
  if (phone.state === "ringing") return h("div", { class: "hands" }, does("answer", "answer"), does("reject", "end"));
  if (phone.state === "in_call") {
    const asked = phone.heard.at(-1) === "press_1" && state.order?.call && state.order.call.state !== "bridged";
    return h("div", { class: "hands" }, asked && does("press_1", "answer", true), does("hang_up", "end", true), does("drop"), does("plug_out"));
  }
  return null;
}

const TONES = {
  connected: "good", rejoined: "good", "order.completed": "good", parted: "bad", attempt_failed: "bad", counselor_missed: "bad",
  "order.interrupted": "bad", ended: "strong", call_started: "strong",
};
function paintTimeline() {
  document.querySelector(".story").hidden = state.lines.length === 0;
  part($("timeline"), state.lines.map((line) => line.seq), () => state.lines.toReversed().map((line) =>
    h("li", { "data-kind": line.kind, class: line.seq > (state.painted ?? 0) && "new" },
      h("time", { datetime: line.at }, clock(line.at)), h("span", { class: TONES[line.kind] }, sentence(line)))));
  state.painted = state.lines.at(-1)?.seq ?? 0;
}
function sentence(line) {
  const role = line.role ? t(`role_${line.role}`) : "";
  return (known(`fact_${line.kind}`) ?? line.kind)
    .replace("{role}", role).replace("{Role}", role.charAt(0).toUpperCase() + role.slice(1))
    .replace("{seconds}", line.data?.seconds);
}
function paintVerdict() {
  const found = state.evidence;
  part($("verdict"), found && [found.id, found.verdict], () => found?.verdict ? h("div", { class: "verdict" },
    h("p", { class: "kind", "data-kind": found.verdict.kind }, t(`kind_${found.verdict.kind}`)),
    h("dl", {}, ...[
      ["v_by", t(`by_${found.verdict.by}`)], ["v_confidence", t(`confidence_${found.verdict.confidence}`)],
      ["v_reasons", found.verdict.reasons.map((one) => known(`reason_${one}`) ?? one).join(state.language === "en" ? "; " : "；")],
      ["v_talked", digits(found.talked_seconds)],
    ].flatMap(([name, value]) => [h("dt", {}, t(name)), h("dd", {}, value)])),
    h("p", { class: "fine" }, t(found.verdict.final ? "v_final" : "v_provisional"))) : h("p", { class: "fine" }, t("no_verdict")));
}

// -- the clock goes on ------------------------------------------------------------------------

async function pass(seconds) {
  hear((await ask("POST", "/sim/clock", { advance_seconds: seconds })).now);
}
function tick() {
  $("clock").textContent = clock(now());
  if (!state.order) return;
  if ($("left")) $("left").textContent = leftNow();
  if ($("bar") && state.order.call?.ends_at) $("bar").value = (Date.parse(state.order.call.ends_at) - now()) / 1000;
}
async function watch() {
  if (!document.hidden) await refresh().catch((fault) => tell(fault.message));
  setTimeout(watch, state.order?.call ? 700 : 2000);
}

async function begin() {
  texts = await (await fetch("/pages/texts.json")).json();
  if (!(state.language in texts)) state.language = "zh-CN";
  $("language").addEventListener("click", () => {
    state.language = state.language === "en" ? "zh-CN" : "en";
    localStorage.setItem("language", state.language);
    paint();
  });
  for (const one of document.querySelectorAll("[data-seconds]")) {
    one.addEventListener("click", () => act(() => pass(Number(one.dataset.seconds))));
  }
  try {
    demo = await ask("GET", "/demo/start");
  } catch (missing) {
    document.querySelector("main").dataset.empty = "";
    return tell(missing.away ? missing.message : t("no_demo"));
  }
  hear(demo.now);
  await ask("PUT", "/sim/faults", {});
  setInterval(tick, 250);
  listen();
  await watch();
}
begin();
