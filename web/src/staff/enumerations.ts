/** Words of the service that more than one console shows; those one alone shows are its own. */
import type { StaffRole, VerdictKind } from "../shared/api/schema.ts";
import { catalogue } from "../shared/language.ts";

interface Enumerations {
  readonly verdict: Readonly<Record<VerdictKind, string>>;
  readonly staffRole: Readonly<Record<StaffRole, string>>;
}

export const enumerations = catalogue<Enumerations>(
  {
    verdict: {
      party_ended: "一方挂断",
      cap_reached: "到时结束",
      system_drop: "系统掉线",
      suspected_drop: "疑似掉线",
      not_connected: "未接通",
      operator_ended: "人工结束",
      indeterminate: "无法判定",
    },
    staffRole: {
      counselor: "咨询师",
      steward: "管家",
      support: "客服",
      supervisor: "督导",
      operator: "运营",
      insurer: "保险公司",
    },
  },
  {
    verdict: {
      party_ended: "A party hung up",
      cap_reached: "Time was up",
      system_drop: "System drop",
      suspected_drop: "Suspected drop",
      not_connected: "Not connected",
      operator_ended: "Ended by staff",
      indeterminate: "Indeterminate",
    },
    staffRole: {
      counselor: "Counselor",
      steward: "Steward",
      support: "Support",
      supervisor: "Supervisor",
      operator: "Operator",
      insurer: "Insurer",
    },
  },
);
