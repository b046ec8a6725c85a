/** Why a line of an insurer's list is rejected: in English the service's own sentence says it. */
import type { Column, FaultCode, RejectedLine } from "../shared/api/schema.ts";
import { fill } from "../shared/fill.ts";
import { language } from "../shared/language.ts";

export const COLUMNS: Record<Column, string> = {
  sponsor: "保险公司",
  policy_number: "保单号",
  product: "产品",
  purchased_on: "投保日期",
  effective_on: "生效日期",
  cooling_off_end: "犹豫期止日",
  ends_on: "终止日期",
  term_years: "保险期间年数",
  status: "保单状态",
  policyholder_name: "投保人姓名",
  policyholder_phone: "投保人手机号",
  policyholder_id_number: "投保人证件号",
  policyholder_birth_date: "投保人出生日期",
  relation: "与投保人关系",
  insured_name: "被保险人姓名",
  insured_phone: "被保险人手机号",
  insured_id_number: "被保险人证件号",
  insured_birth_date: "被保险人出生日期",
  contact_name: "联系人姓名",
  contact_phone: "联系人手机号",
};
const FAULTS: Record<FaultCode, string> = {
  missing: "没有填",
  missing_birth: "没有填，也没有证件号可以推算",
  missing_for_child: "没有填：被保险人不满 {years} 岁",
  missing_half_contact: "没有填：联系人要有姓名和手机号",
  too_long: "超过 {most} 个字符",
  unprintable: "有不能显示的字符",
  like_formula: "开头像公式",
  not_a_date: "不是 2025-01-31 这样的日期",
  no_such_day: "日历上没有这一天",
  not_a_phone: "不是 13800000001 这样的手机号；境外号码以 + 和国家代码开头",
  check_character: "校验位不对：有一位打错了",
  not_an_id_number: "不是证件号：身份证 18 位，护照等 5 到 20 位",
  id_number_without_day: "其中的出生日期在日历上没有",
  not_one_of: "要写 {words} 之一，或对应的中文",
  not_years: "要写整数年，1 到 {most}",
  too_far_ahead: "晚于 {day}",
  in_future: "在今天之后",
  before_purchase: "早于投保日期",
  before_effect: "早于生效日期",
  term_disagrees: "与终止日期对不上，去掉其中一个",
  not_the_policyholder: "与投保人的不同，而两者是同一人",
  not_born_as_id_tells: "与证件号里的出生日期不同",
  impossible_birth: "不可能是出生日期",
  differs_from_line: "与同一保单的第 {line} 行不同",
  other_policyholder: "投保人与同一保单的第 {line} 行不同",
  insured_twice: "同一位被保险人已在第 {line} 行",
  policy_rejected: "同一保单的第 {line} 行被拒绝",
  formula: "是公式：请粘贴它的值",
  true_or_false: "是“真/假”值，没有哪一列需要",
  too_many_digits: "是超过 15 位的数字，后面几位已经丢失：请设成文本格式",
  fraction: "是小数，没有哪一列需要",
  more_cells: "单元格比表头多",
  cell_without_header: "有单元格所在的列没有表头",
};

/** Every reason, in the reader's language. */
export function whyRejected(line: RejectedLine): string {
  if (language.value === "en") return line.reasons.join("; ");
  return line.faults
    .map(({ code, column, given }) => {
      const told = fill(FAULTS[code], given);
      return column === null ? told : `${COLUMNS[column]}：${told}`;
    })
    .join("；");
}
