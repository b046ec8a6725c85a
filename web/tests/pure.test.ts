/** What needs no browser: addresses, back-off, the risk screen, times. */
import assert from "node:assert/strict";
import { test } from "node:test";

// The modules look at the browser as they load; this much of it is enough.
const kept = new Map<string, string>();
Object.assign(globalThis, {
  document: { documentElement: {} },
  location: { pathname: "/call/orders/order_1", origin: "http://127.0.0.1" },
  addEventListener: () => undefined,
  localStorage: {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  },
});
Object.defineProperty(globalThis, "navigator", {
  value: { languages: ["fr-FR", "zh-TW", "en-GB"], language: "fr-FR" },
  configurable: true,
});

const { addressOf, Refusal } = await import("../src/shared/api/client.ts");
const { pauseBefore } = await import("../src/shared/live.ts");
const { hearTime, secondsUntil, serverNow } = await import("../src/shared/clock.ts");
const { language, speak } = await import("../src/shared/language.ts");
const { digits, length, shortNumber, span } = await import("../src/shared/times.ts");
const { matching } = await import("../src/shared/router.ts");
const { reasonInWords } = await import("../src/support/reasons.ts");
const { whyUnread } = await import("../src/operator/file-faults.ts");
const { whyRejected } = await import("../src/operator/line-faults.ts");
const { fieldInWords, valueInWords } = await import("../src/operator/changes.ts");
const { levelOf, riskOf } = await import("../src/counselor/risk.ts");

test("the first language of the browser that we speak is spoken, and a choice is kept", () => {
  assert.equal(language.value, "zh-CN"); // French is not ours, English comes later
  speak("en");
  assert.equal(kept.get("warmline.language"), "en");
});

test("ids and questions are escaped in addresses, and empty questions left out", () => {
  const address = addressOf(
    "/v1/orders/{order}/events",
    { order: "a/b?c" },
    { after: 3, to: null },
  );
  assert.equal(address, "/v1/orders/a%2Fb%3Fc/events?after=3");
});

test("tries to reconnect come later and later, never all at once, and never stop coming", () => {
  assert.equal(pauseBefore(0, 0), 200);
  assert.equal(pauseBefore(0, 1), 400);
  assert.ok(pauseBefore(3, 0) > pauseBefore(1, 1));
  assert.equal(pauseBefore(50, 1), 15_000);
});

test("the time is the service's, also after it was moved, whatever this machine's clock says", () => {
  hearTime(new Date(Date.now() + 3_600_000).toISOString());
  assert.ok(Math.abs(serverNow() - Date.now() - 3_600_000) < 1_000);
  hearTime(new Date(Date.now() + 7_200_000).toISOString(), 20);
  assert.ok(Math.abs(serverNow() - Date.now() - 7_200_000) < 1_000);
});

test("a slow answer does not spoil the time that a quick one told", () => {
  hearTime(new Date(Date.now() + 10_000).toISOString(), 2);
  const before = serverNow() - Date.now();
  hearTime(new Date(Date.now() + 10_000).toISOString(), 900);
  assert.ok(Math.abs(serverNow() - Date.now() - before) < 50);
});

test("time left is shown whole, rounded up, and never below nothing", () => {
  const at = Date.parse("2026-11-22T10:00:00Z");
  assert.equal(secondsUntil("2026-11-22T10:00:00.200Z", at), 1);
  assert.equal(secondsUntil("2026-11-22T09:00:00Z", at), 0);
  assert.equal(secondsUntil(null, at), 0);
});

test("a clock that is a little off never shows more than was granted, and time added is shown", () => {
  const at = Date.parse("2026-11-22T10:00:00Z");
  assert.equal(secondsUntil("2026-11-22T10:25:00.030Z", at, 1500), 1500);
  assert.equal(secondsUntil("2026-11-22T10:24:59.030Z", at, 1500), 1500);
  assert.equal(secondsUntil("2026-11-22T10:30:00Z", at, 1500), 1800);
});

test("minutes that are left are never rounded up", () => {
  speak("en");
  assert.equal(length(119), "1 minute");
  assert.equal(length(59), "59 seconds");
  speak("zh-CN");
  assert.equal(length(1499), "24 分钟");
  assert.equal(digits(3_905), "1:05:05");
  assert.equal(digits(65), "01:05");
});

test("an address is matched part by part", () => {
  assert.deepEqual(matching("/call/orders/:order", "/call/orders/order_1/"), { order: "order_1" });
  assert.equal(matching("/call/orders/:order", "/call/orders/order_1/claim"), null);
});

test("mainland numbers are shown without their country, others with it", () => {
  assert.equal(shortNumber("+86138****0001"), "138****0001");
  assert.equal(shortNumber("+852****0001"), "+852****0001");
});

test("a plan, or thoughts with the means, is acute; thoughts alone are raised", () => {
  assert.equal(levelOf({}), "none");
  assert.equal(levelOf({ thoughts: "unsaid" }), "low");
  assert.equal(levelOf({ thoughts: "yes" }), "raised");
  assert.equal(levelOf({ thoughts: "yes", means: "yes" }), "acute");
  assert.equal(levelOf({ thoughts: "no", plan: "yes" }), "acute");
  assert.equal(riskOf({ thoughts: "yes" }).plan, "unsaid");
});

test("a reason with a carrier's number tells the number, and an unknown one is told as it is", () => {
  speak("en");
  assert.equal(reasonInWords("fault_cause_38"), "a network fault, cause 38");
  assert.equal(reasonInWords("hung_up"), "somebody hung up");
  assert.equal(reasonInWords("something_new"), "something new");
  speak("zh-CN");
  assert.equal(reasonInWords("cause_127"), "挂断代码 127");
});

test("how long something holds is told in the largest whole unit", () => {
  speak("en");
  assert.deepEqual([7 * 86_400, 86_400, 5_400].map(span), ["7 days", "24 hours", "90 minutes"]);
  speak("zh-CN");
  assert.equal(span(2 * 86_400), "2 天");
});

test("why a line is rejected is worded here in Chinese, and by the service in English", () => {
  const line = {
    line: 3,
    number: "P-2",
    reasons: ["product: is longer than 100 characters", "line 2 of the same policy is rejected"],
    faults: [
      { code: "too_long", column: "product", given: { most: "100" } },
      { code: "policy_rejected", column: null, given: { line: "2" } },
    ],
  } as const;
  speak("en");
  assert.equal(whyRejected(line), line.reasons.join("; "));
  speak("zh-CN");
  assert.equal(whyRejected(line), "产品：超过 100 个字符；同一保单的第 2 行被拒绝");
  assert.equal(fieldInWords("insured 李*.contact.phone"), "被保险人 李* · 联系人 · 手机号");
  assert.equal(valueInWords("in_force"), "有效");
});

test("what is wrong with a file is worded here in Chinese, and an unknown fault as it is told", () => {
  const header = {
    in: "body",
    pointer: "/0",
    detail: "column 1: the header 'shoes' is not known",
    code: "header_unknown",
    given: { place: "1", header: "shoes" },
  } as const;
  const other = {
    in: "body",
    pointer: "",
    detail: "is newer than this page",
    code: "new",
  } as const;
  const refused = new Refusal("bad_input", { faults: [header, other] });
  speak("en");
  assert.match(whyUnread(refused), / · column 1: the header 'shoes' is not known · is newer/);
  speak("zh-CN");
  assert.match(whyUnread(refused), / · 第 1 列：不认识表头“shoes” · is newer than this page$/);
});
