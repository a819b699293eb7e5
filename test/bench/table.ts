const line = (cells: readonly (string | number)[]): string => `| ${cells.join(" | ")} |`;

/** A Markdown table with a title; columns come from the first row. */
export const formatTable = (title: string, rows: readonly Record<string, string | number>[]): string => {
  const columns = Object.keys(rows[0] ?? {});
  const body = rows.map((row) => line(columns.map((column) => row[column] ?? "")));
  return [`**${title}**`, "", line(columns), line(columns.map((_, index) => (index === 0 ? "---" : "--:"))), ...body, ""].join("\n");
};
