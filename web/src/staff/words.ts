/** What the frame around every staff page says. */
import type { StaffRole } from "../shared/api/schema.ts";
import { catalogue } from "../shared/language.ts";

const zhRoles: Record<StaffRole, string> = {
  counselor: "咨询师",
  steward: "管家",
  support: "客服",
  supervisor: "督导",
  operator: "运营",
  insurer: "保险公司",
};

export const words = catalogue(
  {
    title: "工作台",
    signIn: "登录工作台",
    signInText: "给接听来电的人，和照看他们的人。",
    email: "邮箱",
    password: "密码",
    totp: "验证器上的动态码",
    totpHint: "6 位数字，每 30 秒换一次",
    enter: "登录",
    signOut: "退出登录",
    signOutTitle: "退出登录？",
    signOutText: "退出后不再接到来电。写了一半的记录会留在服务端。",
    stay: "留在这里",
    account: "账户",
    places: "工作台",
    notYours: "这一页不对您的角色开放。",
    roles: zhRoles,
    place: { desk: "接听", support: "客服", supervisor: "督导", operator: "运营" },
  },
  {
    title: "Console",
    signIn: "Sign in to the console",
    signInText: "For those who answer calls, and for those who look after them.",
    email: "E-mail",
    password: "Password",
    totp: "Code from your authenticator",
    totpHint: "6 digits, new every 30 seconds",
    enter: "Sign in",
    signOut: "Sign out",
    signOutTitle: "Sign out?",
    signOutText: "You receive no more calls after that. Notes you began stay on the server.",
    stay: "Stay",
    account: "Account",
    places: "Consoles",
    notYours: "This page is not for your role.",
    roles: {
      counselor: "Counselor",
      steward: "Steward",
      support: "Support",
      supervisor: "Supervisor",
      operator: "Operator",
      insurer: "Insurer",
    },
    place: { desk: "Desk", support: "Support", supervisor: "Supervisor", operator: "Operator" },
  },
);
