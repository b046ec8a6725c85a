/** What the doctor finds, in the reader's language: in English the service's own sentence says it. */
import type { FindingCode, FindingView } from "../shared/api/schema.ts";
import { fill } from "../shared/fill.ts";
import { language } from "../shared/language.ts";

const BLOCKED =
  "上线前：请在 Twilio 控制台（Trust Hub）通过 Business Primary Customer Profile 审核。通过之前，Twilio 同时只允许两路呼叫，也就是一次谈话，也不会调高每秒呼叫数。";

/** The subject and the sentence; `{why}` is what another program said, in its words. */
const FOUND: Record<FindingCode, readonly [subject: string, sentence: string]> = {
  settings_good: ["设置", "每一项都有效"],
  data_dir_good: ["数据目录", "{folder} 可以写入"],
  data_dir_wrong: ["数据目录", "不能用：{why}"],
  secret_given: ["密钥", "由 WARMLINE_SECRET_KEY 给出"],
  secret_to_come: ["密钥", "第一次启动时写到 {file}"],
  secret_unreadable: ["密钥", "{file} 读不了（{why}）：请改正它的属主和权限。"],
  secret_open: ["密钥", "{file} 别人也能读（权限 {mode}）：请运行 chmod 600 {file}。"],
  secret_good: ["密钥", "{file} 只有本服务能读"],
  sms_wrong: ["短信", "不能用：{why}"],
  sms_gateway: ["短信", "由 WARMLINE_SMS_URL 指定的网关发送"],
  sms_twilio: ["短信", "由 Twilio 发送"],
  sms_not_sent: [
    "短信",
    "WARMLINE_CARRIER={carrier} 打给真人，但 WARMLINE_SMS=log 什么都不发：请设 WARMLINE_SMS=http，并把 WARMLINE_SMS_URL 和 WARMLINE_SMS_SECRET 设成您网关的；或者设 WARMLINE_SMS=twilio。",
  ],
  sms_gateway_unused: [
    "短信",
    "WARMLINE_SMS_URL 指定了网关，但 WARMLINE_SMS=log 不会用它：请设 WARMLINE_SMS=http，或去掉这个地址。",
  ],
  sms_simulated: ["短信", "模拟：短信可在 GET /sim/messages 看到"],
  carrier_simulated: ["线路", "模拟：不占用电话线路"],
  carrier_handsets: ["线路", "模拟，话机在 {url}"],
  carrier_no_handsets: [
    "线路",
    "{url} 没有话机应答：请在那里启动 `warmline handsets`，或改正 WARMLINE_HANDSETS_URL。",
  ],
  carrier_wrong: ["线路", "不能用：{why}"],
  carrier_asterisk: ["线路", "Asterisk {version}，在 {url}，中继 {trunk}"],
  carrier_trunk_away: ["线路", "Asterisk {version} 有应答，但中继 {trunk} 不在线：谁也打不通。"],
  carrier_other_version: ["线路", "Asterisk {version} 有应答；本服务为 {made_for} 编写和测试。"],
  carrier_twilio: ["线路", "Twilio：设置齐全，可以向它查询"],
  prompts_unused: ["提示音", "不使用：这条线路不播放文件"],
  prompts_wrong: ["提示音", "不能用：{why}"],
  prompts_missing: [
    "提示音",
    "{count} 条提示没有录音，播到时没有声音（{some} ..）：请运行 `warmline prompts build`。",
  ],
  prompts_unplayable: ["提示音", "不能播放：{which}。"],
  prompts_outdated: ["提示音", "{count} 条录音还是旧文字：请运行 `warmline prompts build`。"],
  prompts_good: ["提示音", "{count} 条都有录音，其中 {own} 条是您自己的"],
  redis_unused: ["Redis", "不使用：只有一个进程"],
  redis_good: ["Redis", "有应答"],
  redis_away: [
    "Redis",
    "没有应答，实时更新会变慢，频率限制按进程计：请启动它，或改正 WARMLINE_REDIS_URL。",
  ],
  database_good: ["数据库", "PostgreSQL {version} 有应答"],
  database_wrong: ["数据库", "不能用：{why}"],
  migrations_wrong: ["数据库升级", "不能用：{why}"],
  migrations_missing: ["数据库升级", "还差 {count} 次：请运行 `warmline migrate`。"],
  migrations_good: ["数据库升级", "全部完成"],
  clock_off: ["时钟", "数据库的时钟与本机相差 {seconds} 秒：请让两者跟随同一个 NTP 服务器。"],
  clock_good: ["时钟", "数据库与本机一致"],
  queue_wrong: ["后台任务", "PgQueuer 的表缺失或版本不对：请运行 `warmline migrate`。"],
  queue_failed: ["后台任务", "一天内有 {count} 个任务失败：请看 job_faults 表和日志。"],
  queue_good: ["后台任务", "表都在，一天内没有失败"],
  numbers_none: ["号码", "还没有存"],
  numbers_without_secret: [
    "号码",
    "已存有号码，但 {file} 不见了：请从备份放回，或设 WARMLINE_SECRET_KEY；没有它就读不出来。",
  ],
  numbers_other_secret: [
    "号码",
    "存的号码是用另一个密钥封的：请在 WARMLINE_SECRET_KEY 里写新密钥，后面加逗号和旧密钥。",
  ],
  numbers_good: ["号码", "存的号码都能读出"],
  rest_put_off: [
    "到期处理",
    "{count} 个订单或券没能了结：请看 lapse_faults 表和日志；每分钟会再试。",
  ],
  rest_good: ["到期处理", "到期的订单和券都已了结"],
  changes_wrong: ["变更告知", "服务的文件不能用：{why}"],
  changes_untold: ["变更告知", "{which}：请自行告知这些客户，或推迟变更。"],
  changes_good: ["变更告知", "所有公布的变更都已提前告知客户"],
  holidays_none: ["节假日", "{tenant} 没有节假日数据：`warmline serve` 启动时会写入。"],
  holidays_good: ["节假日", "{tenant} 的数据到 {year} 年底"],
  holidays_ending: [
    "节假日",
    "{tenant} 没有 {year} 年的节假日：请在年前用 `warmline holidays import` 导入。",
  ],
  twilio_wrong: ["Twilio", "不能用：{why}"],
  twilio_account_untold: [
    "Twilio 账户",
    "{why}：请改正 WARMLINE_TWILIO_ACCOUNT_SID、_AUTH_TOKEN、_API_KEY 和 _API_SECRET，或到 Twilio 的网络。",
  ],
  twilio_account_inactive: ["Twilio 账户", "账户状态是 {status}：请到 Twilio 控制台处理。"],
  twilio_account_trial: [
    "Twilio 账户",
    "上线前：请升级试用账户。在此之前，Twilio 满十分钟就挂断，只拨打验证过的号码，接通前还会播放试用说明。",
  ],
  twilio_account_good: ["Twilio 账户", "可用，令牌是这个账户的"],
  twilio_number_untold: ["Twilio 号码 ..{ending}", "{why}：没能查看。"],
  twilio_number_foreign: [
    "Twilio 号码 ..{ending}",
    "不是这个账户的号码：请改正 WARMLINE_TWILIO_NUMBERS，或购买它。",
  ],
  twilio_number_silent: ["Twilio 号码 ..{ending}", "不支持语音：请换一个号码。"],
  twilio_number_without_sms: [
    "Twilio 号码 ..{ending}",
    "不能发短信：请把能发的写在 WARMLINE_TWILIO_NUMBERS 第一个，或设 WARMLINE_TWILIO_MESSAGING_SERVICE。",
  ],
  twilio_number_elsewhere: [
    "Twilio 号码 ..{ending}",
    "打这个号码到不了我们这里：请在 Twilio 控制台给它设置 {what}（webhook，HTTP POST）。",
  ],
  twilio_number_ours: ["Twilio 号码 ..{ending}", "属于这个账户，webhook 也指向我们"],
  twilio_number_good: ["Twilio 号码 ..{ending}", "属于这个账户"],
  twilio_profile_untold: ["Twilio 企业资料", `{why}。${BLOCKED}`],
  twilio_profile_missing: ["Twilio 企业资料", BLOCKED],
  twilio_profile_good: ["Twilio 企业资料", "已有一份通过审核；是不是企业资料，只有控制台知道"],
  twilio_verify_untold: [
    "Twilio Verify",
    "{why}：请改正 WARMLINE_TWILIO_VERIFY_SERVICE，或去掉它。",
  ],
  twilio_verify_no_codes: [
    "Twilio Verify",
    "不接受我们的验证码，只好用普通短信：请 Twilio 客服为它开通 custom codes，或去掉 WARMLINE_TWILIO_VERIFY_SERVICE。",
  ],
  twilio_verify_good: ["Twilio Verify", "接受我们的验证码"],
  twilio_webhooks_plain: [
    "Twilio 回调",
    "WARMLINE_PUBLIC_URL 必须以 https:// 开头：Twilio 送来的内容涉及个人。",
  ],
  twilio_webhooks_nobody: [
    "Twilio 回调",
    "{url} 没有应答（{why}）：请启动 `warmline serve`，并确认这个地址通到它。",
  ],
  twilio_webhooks_redirected: [
    "Twilio 回调",
    "{url} 返回的是重定向：Twilio 发到那里的内容会丢失。",
  ],
  twilio_webhooks_unsigned: [
    "Twilio 回调",
    "签名到达时校验不通过：WARMLINE_PUBLIC_URL 必须是 Twilio 看到的地址，代理不能改路径，服务要用同一个 WARMLINE_TWILIO_AUTH_TOKEN。",
  ],
  twilio_webhooks_strange: [
    "Twilio 回调",
    "{url} 是别的服务在应答（状态 {status}），或是没有用 Twilio 的服务：请查地址通到哪里。",
  ],
  twilio_webhooks_good: ["Twilio 回调", "能收到，伪造的会被拒绝"],
  twilio_rate_of_one: [
    "Twilio 每秒呼叫数",
    "上线前：每秒一个呼叫，每分钟最多接通三十次谈话，也没有余量打给机构。请在 Twilio 控制台（Voice、Settings、General）调高，再把 WARMLINE_TWILIO_CALLS_PER_SECOND 设成一样。",
  ],
  twilio_rate_good: ["Twilio 每秒呼叫数", "设置里是 {count}，其中一个留给机构；实际值以控制台为准"],
  twilio_shown_foreign: [
    "Twilio 显示号码",
    "{programs}：显示的号码不在 WARMLINE_TWILIO_NUMBERS 里，对方看到的是尾号 {ending}。请改服务文件里的 `shows`。",
  ],
  twilio_shown_good: ["Twilio 显示号码", "每个服务显示的都是我们的号码"],
};

/** What was looked at, and what was found. */
export function findingInWords(found: FindingView): readonly [subject: string, sentence: string] {
  if (language.value === "en") return [found.subject, found.text];
  const [subject, sentence] = FOUND[found.code];
  return [fill(subject, found.given), fill(sentence, found.given)];
}
