// The page at `/`: a newcomer's call from a pressed button to its verdict. It only talks to this service.

import { act, tell } from "./acting.js";
import { tickCall } from "./call.js";
import { latestSms, paintMessages } from "./messages.js";
import { counselorPhone, paintFaults, paintPhone } from "./phones.js";
import { listen, paintWith, refresh } from "./reading.js";
import { ask, pass } from "./service.js";
import { state } from "./state.js";
import { paintStep } from "./step.js";
import { paintTimeline, paintVerdict, status } from "./story.js";
import { clock, hear, now, readTexts, t } from "./words.js";

const $ = (id) => document.getElementById(id);

function paint() {
  document.documentElement.lang = state.language;
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  $("language").textContent = state.language === "en" ? "中文" : "English";
  $("language").lang = state.language === "en" ? "zh-CN" : "en";
  const words = status();
  if ($("status").textContent !== words) $("status").textContent = words;
  paintStep();
  paintPhone($("caller"), state.demo.caller, t("you"), latestSms());
  paintPhone($("counselor"), counselorPhone()?.number, counselorPhone()?.name);
  paintTimeline();
  paintVerdict();
  paintMessages();
  paintFaults();
}
function tick() {
  $("clock").textContent = clock(now());
  tickCall();
}
async function watch() {
  if (!document.hidden) await refresh().catch((fault) => tell(fault.message));
  setTimeout(watch, state.order?.call ? 700 : 2000);
}

async function begin() {
  paintWith(paint);
  await readTexts();
  $("language").addEventListener("click", () => {
    state.language = state.language === "en" ? "zh-CN" : "en";
    localStorage.setItem("language", state.language);
    paint();
  });
  for (const one of document.querySelectorAll("[data-seconds]")) {
    one.addEventListener("click", () => act(() => pass(Number(one.dataset.seconds))));
  }
  try {
    state.demo = await ask("GET", "/demo/start");
  } catch (missing) {
    document.querySelector("main").dataset.empty = "";
    return tell(missing.away ? missing.message : t("no_demo"));
  }
  hear(state.demo.now);
  await ask("PUT", "/sim/faults", {});
  setInterval(tick, 250);
  listen();
  await watch();
}
begin();
