/** Why the evidence was judged so, and why a decision is proposed: the service's stable words. */
import { language } from "../shared/language.ts";

type InBoth = readonly [zh: string, en: string];

const REASONS: Readonly<Record<string, InBoth>> = {
  our_cap: ["到了时长上限，由我们结束", "our cap ended it"],
  the_carriers_limit: ["到了线路的时限", "the carrier's own limit ended it"],
  hung_up: ["有人挂断", "somebody hung up"],
  hung_up_in_the_app: ["来电者在应用里挂断", "the caller hung up in the app"],
  hung_up_in_console: ["咨询师在工作台挂断", "the counselor hung up in the console"],
  staff_ended_it: ["工作人员结束了通话", "staff ended it"],
  media_timeout: ["线路太久没有声音", "nothing was heard from a line for too long"],
  partner_left: ["另一方先离开了", "the other one had left"],
  we_let_it_go: ["由我们放下", "we let it go"],
  the_carrier_let_go: ["线路方断开", "the carrier let go"],
  ended_uncommanded: ["没有人下令，线路自己断了", "it ended and nobody had ordered it"],
  silence_before_release: ["断开前有一段没有声音", "silence before the end"],
  marked_as_cut_off: ["咨询师说被切断", "the counselor says it was cut off"],
  called_back_soon: ["来电者几分钟内又打来", "the caller called back within minutes"],
  nobody_says_who_let_go: ["看不出是谁断开的", "nobody says who let go"],
  no_leg_was_seen_to_end: ["没有看到任何一方结束", "no leg was seen to end"],
  no_phone_rang: ["没有电话响过", "no phone rang"],
  never_both_on_the_line: ["两个人没有同时在线", "the two were never both on the line"],
  the_order_can_be_used: ["订单还可以用", "the order can still be used"],
  nothing_was_used: ["什么都没有用掉", "nothing was used"],
  given_back_or_replaced_already: ["已经退回或补发过", "given back or replaced already"],
  time_used: ["时长已用完", "the time was used"],
  the_evidence_is_weak: ["证据不充分", "the evidence is weak"],
  counselor_ended_early: ["咨询师提前结束", "the counselor ended it early"],
  short_call: ["通话不到一分钟", "a talk of less than a minute"],
  nobody_can_tell: ["无法判断", "nobody can tell"],
  no_voucher: ["没有用券", "no voucher was used"],
  policy_has_ended: ["保单已终止", "the policy has ended"],
  voucher_has_run_out: ["券已过期", "the voucher has run out"],
  replaced_before: ["这张券补发过一次", "the voucher was replaced before"],
  counselor_says_cut_off: ["咨询师说被切断", "the counselor says it was cut off"],
  caller_called_back: ["来电者随后又打来", "the caller called back"],
  system_drop: ["线路断了", "the line was lost"],
  suspected_drop: ["有断线的迹象", "there are signs of a lost line"],
};

/** Words that end in the number a carrier gave for the end. */
const CAUSES: Readonly<Record<string, InBoth>> = {
  fault_cause_: ["线路故障代码", "a network fault, cause"],
  odd_cause_: ["少见的挂断代码", "an unusual cause for hanging up:"],
  cause_: ["挂断代码", "cause"],
};

/** A word of the service in the reader's language; one we do not know yet as it is. */
export function reasonInWords(reason: string): string {
  const number = /\d+$/.exec(reason)?.[0] ?? "";
  const known = REASONS[reason] ?? CAUSES[reason.slice(0, reason.length - number.length)];
  if (known === undefined) return reason.replaceAll("_", " ");
  const [zh, en] = known;
  return `${language.value === "en" ? en : zh} ${number}`.trim();
}
