/** Every refusal of the service in words: what it means for whoever pressed the button. */
import { Refusal, type RefusalCode } from "./api/client.ts";
import { catalogue } from "./language.ts";
import { length } from "./times.ts";

type Refusals = Record<RefusalCode, string>;

const zh: Refusals = {
  offline: "连不上服务。请检查网络，然后再试一次。",
  unavailable: "服务暂时不可用，请稍后再试。",
  internal_error: "服务出错了，我们已经记下。请稍后再试。",
  malformed: "请求没有被看懂，请刷新页面再试。",
  method_not_allowed: "请求没有被看懂，请刷新页面再试。",
  unsupported_media_type: "这种文件不能用。",
  body_too_large: "内容太大了。",
  bad_input: "有一项填写不对，请检查。",
  upgrade_required: "请刷新页面再试。",
  not_possible: "现在做不到。",
  unauthenticated: "登录已失效，请重新登录。",
  sign_in_failed: "邮箱、密码或动态码不对。",
  second_factor_due: "请先设置第二重验证。",
  totp_required: "请输入验证器上的动态码。",
  forbidden: "您没有这项权限。",
  not_found: "没有找到，它可能已经结束。",
  number_mismatch: "请用验证过的手机呼叫。",
  device_not_verified: "这部手机的验证已过期，请重新验证。",
  outside_hours: "现在不在服务时间。",
  counselor_offline: "对方现在不在班，请换一位或稍后再试。",
  counselor_busy: "对方正在通话。可以稍后再打，也可以取消后换一位。",
  voucher_in_use: "这张券正用于另一次通话。",
  voucher_invalid: "这张券不能用：请核对兑换码和有效期。",
  call_in_progress: "您已有一次正在进行的通话。",
  order_not_open: "这次通话已经结束。",
  order_expired: "这次通话已过期。",
  quota_used: "本期的次数已用完。",
  not_entitled: "没有找到相应的权益。",
  rate_limited: "操作太频繁，请稍后再试。",
  claim_too_late: "已超过可以反馈的时间。",
  not_completed: "通话还没有完成。",
  code_wrong: "验证码不对，请再看一下短信。",
  code_expired: "验证码已失效，请重新发送。",
  not_now: "现在不能这样做：情况刚刚变了。",
  key_reused: "请刷新页面再试。",
  changed_meanwhile: "刚刚在别处改过，请看一下新的内容。",
};
const en: Refusals = {
  offline: "The service cannot be reached. Check your connection and try again.",
  unavailable: "The service is not available for the moment. Please try again soon.",
  internal_error: "Something went wrong on our side. It is on record; please try again soon.",
  malformed: "The request was not understood. Please reload the page.",
  method_not_allowed: "The request was not understood. Please reload the page.",
  unsupported_media_type: "This kind of file cannot be used.",
  body_too_large: "This is too large.",
  bad_input: "Something is not filled in right. Please check.",
  upgrade_required: "Please reload the page.",
  not_possible: "This is not possible now.",
  unauthenticated: "You have been signed out. Please sign in again.",
  sign_in_failed: "E-mail, password or code is wrong.",
  second_factor_due: "Please set up your second factor first.",
  totp_required: "Enter the code your authenticator shows.",
  forbidden: "You may not do this.",
  not_found: "Not found: it may be over.",
  number_mismatch: "Please call from the phone you verified.",
  device_not_verified: "Your phone's verification has run out. Please verify it again.",
  outside_hours: "The service is closed now.",
  counselor_offline: "They are off duty now. Choose somebody else, or try later.",
  counselor_busy: "They are on a call. Call again soon, or cancel and choose somebody else.",
  voucher_in_use: "This voucher is in use for another call.",
  voucher_invalid: "This voucher cannot be used: check its code and its last day.",
  call_in_progress: "You already have a call under way.",
  order_not_open: "This call is over.",
  order_expired: "This call has expired.",
  quota_used: "All uses of this period are taken.",
  not_entitled: "No such entitlement was found.",
  rate_limited: "That was too often. Please wait a little.",
  claim_too_late: "The time to report a problem has passed.",
  not_completed: "The talk is not complete yet.",
  code_wrong: "The code is wrong. Please look at the message again.",
  code_expired: "The code has run out. Please have a new one sent.",
  not_now: "Not now: things have just changed.",
  key_reused: "Please reload the page.",
  changed_meanwhile: "It was changed elsewhere meanwhile: please look again.",
};
const words = catalogue(
  { refusals: zh, again: (wait: string) => `请等 ${wait}。` },
  {
    refusals: en,
    again: (wait: string) => ` Wait ${wait}.`,
  },
);

/** What to tell about anything that was thrown while asking. */
export function inWords(fault: unknown): string {
  if (!(fault instanceof Refusal)) throw fault;
  const text = words.value.refusals[fault.code] ?? fault.detail;
  return fault.retryAfterSeconds === null
    ? text
    : text + words.value.again(length(fault.retryAfterSeconds));
}
