/** The ledger in words: what its accounts are, and why something was booked. */
import { language } from "../shared/language.ts";

type InBoth = readonly [zh: string, en: string];

const ACCOUNTS: Readonly<Record<string, InBoth>> = {
  issuer: ["发行", "issuer"],
  pending: ["待发放", "pending"],
  issued: ["已发放", "issued"],
  held: ["占用", "held"],
  consumed: ["核销", "consumed"],
  returned: ["退回", "returned"],
  expired: ["过期", "expired"],
  voided: ["作废", "voided"],
  reissued: ["已补发", "reissued"],
  remaining: ["剩余", "remaining"],
  talked: ["已通话", "talked"],
  lapsed: ["作废", "lapsed"],
};
const REASONS: Readonly<Record<string, InBoth>> = {
  prepared: ["备好", "prepared"],
  issued: ["发放", "issued"],
  redeemed: ["兑换", "redeemed"],
  held: ["开订单", "an order was opened"],
  connected: ["接通", "connected"],
  order_expired: ["订单过期", "the order expired"],
  order_cancelled: ["订单取消", "the order was cancelled"],
  no_contact: ["没有联系上", "nobody was reached"],
  no_contact_counted: ["没有联系上，计入", "nobody was reached, counted"],
  granted: ["订单给的时长", "granted by the order"],
  talked: ["通话", "talked"],
  talked_beyond_cap: ["超出上限的通话", "talked beyond the cap"],
  topped_up: ["补足最少时长", "topped up to the least"],
  lapsed: ["没有用完", "left over"],
  corrected: ["更正", "corrected"],
  claim_resume: ["决定：继续通话", "decided: resume"],
  claim_reissue: ["决定：补发", "decided: a new voucher"],
  claim_reject: ["决定：不予处理", "decided: neither"],
};

const inWords = (known: InBoth | undefined, word: string): string =>
  known === undefined ? word.replaceAll("_", " ") : known[language.value === "en" ? 1 : 0];

export const accountInWords = (account: string): string => inWords(ACCOUNTS[account], account);
export const entryInWords = (reason: string): string => inWords(REASONS[reason], reason);

const DEEDS: Readonly<Record<string, InBoth>> = {
  "order.read": ["看了订单", "read the order"],
  "claim.read": ["看了反馈", "read the claim"],
  "voucher.read": ["看了券", "read the voucher"],
  "number.revealed": ["看了完整号码", "saw the whole number"],
};

/** What somebody of the staff did; what we have no words for as the service calls it. */
export const deedInWords = (action: string): string => inWords(DEEDS[action], action);
