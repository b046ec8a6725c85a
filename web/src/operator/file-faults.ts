/** Why an insurer's file is not read: in English the service's own sentence says it. */
import { Refusal, type InputFault } from "../shared/api/client.ts";
import { fill } from "../shared/fill.ts";
import { language } from "../shared/language.ts";
import { inWords } from "../shared/refusals.ts";

const FILE_FAULTS: Record<string, string> = {
  header_unknown: "第 {place} 列：不认识表头“{header}”",
  header_missing: "第 {place} 列没有表头",
  header_twice: "第 {place} 列：“{chinese}”（{column}）有两列",
  column_missing: "缺少“{chinese}”（{column}）一列",
  empty: "文件是空的：第一行要写各列的名称",
  neither_csv_nor_xlsx: "文件既不是 CSV 也不是 XLSX：请另存为其中一种（旧的 .xls 另存为 .xlsx）",
  encoding_unknown: "第 {line} 行既不是 UTF-8 也不是 GB 18030：请把文件另存为 CSV UTF-8",
  not_csv: "第 {line} 行不是 CSV：单元格之间用逗号，含逗号或引号的单元格放在双引号里",
  too_many_cells: "第 {line} 行的单元格超过 {most} 个",
  too_many_lines: "名单超过 {most} 行：请用命令 warmline policies import",
  damaged: "文件已损坏：请从表格软件里重新保存",
  not_a_workbook: "文件像 XLSX 却不是：请从表格软件里重新保存",
  several_sheets: "工作簿有 {sheets} 张工作表：请只留名单那一张",
  too_many_rows: "工作表超过 {most} 行：请拆开",
  too_large_unpacked: "工作簿解开后会大得多：请只把名单另存为 CSV",
};

/** What an import was refused for, with everything that is wrong with the file. */
export function whyUnread(refused: unknown): string {
  const faults = refused instanceof Refusal ? refused.faults : [];
  return [inWords(refused), ...faults.map(worded)].join(" · ");
}

function worded({ code, given, detail }: InputFault): string {
  const known = code === undefined ? undefined : FILE_FAULTS[code];
  return language.value === "en" || known === undefined ? detail : fill(known, given ?? {});
}
