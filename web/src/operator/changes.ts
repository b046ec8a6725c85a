/** What a list changes about a policy. In English a field is called as a list's columns are. */
import { language } from "../shared/language.ts";
import { COLUMNS } from "./line-faults.ts";

const PARTS: Readonly<Record<string, string>> = {
  ...COLUMNS,
  policyholder: "投保人",
  contact: "联系人",
  relation: "与投保人关系",
  name: "姓名",
  phone: "手机号",
  id_number: "证件号",
  birth_date: "出生日期",
};
const VALUES: Readonly<Record<string, string>> = {
  in_force: "有效",
  surrendered: "退保",
  lapsed: "失效",
  ended: "终止",
  added: "新加",
  insured: "在保",
  self: "本人",
  spouse: "配偶",
  child: "子女",
  parent: "父母",
  parent_in_law: "配偶父母",
  sibling: "兄弟姐妹",
  other: "其他",
};

/** `policyholder.phone`, or `insured` with a masked name. */
export function fieldInWords(field: string): string {
  if (language.value === "en") return field;
  return field
    .split(".")
    .map((part) => PARTS[part] ?? part.replace(/^insured /, "被保险人 "))
    .join(" · ");
}

export function valueInWords(value: string | null): string {
  if (value === null) return "–";
  return language.value === "en" ? value : (VALUES[value] ?? value);
}
