/** What a talk may be about, in words; a program's own topic is shown as the program names it. */
import { catalogue } from "./language.ts";

const topics = catalogue<Record<string, string>>(
  {
    work_stress: "工作压力",
    family_conflict: "家庭矛盾",
    parenting: "亲子教育",
    love_and_marriage: "恋爱婚姻",
    symptoms: "症状咨询",
    medication: "用药",
    prevention: "预防保健",
    report_reading: "报告解读",
    rehabilitation: "康复",
    other: "其他",
  },
  {
    work_stress: "Stress at work",
    family_conflict: "Family conflicts",
    parenting: "Parenting",
    love_and_marriage: "Love and marriage",
    symptoms: "Symptoms",
    medication: "Medication",
    prevention: "Prevention",
    report_reading: "Reading results",
    rehabilitation: "Rehabilitation",
    other: "Other",
  },
);

export const topicInWords = (id: string): string => topics.value[id] ?? id;
