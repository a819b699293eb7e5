// `accounts …`: what is in the store, and the wishes that change it. A running proxy sees the change by itself.
import { visibleText } from "../../lib/visible-text.ts";
import { asciiJson } from "../../lib/json.ts";
import { AppError } from "../../messages/errors.ts";
import type { AccountRow, AppState } from "../../state/state.ts";
import { ownEndpoints } from "../own-endpoints.ts";
import { askLine } from "../prompt.ts";
import { toHealthAccount } from "./status-text.ts";
import { withStore } from "../with-store.ts";
import type { Command, ParsedArgs, CliContext } from "../context.ts";
import type { OpenStore } from "../../app/open-store.ts";

/** `accounts list [--json]`. */
export const listAccounts: Command = (context, args) =>
  withStore(context, args, async ({ store }) => {
    const { accounts: rows, refreshes } = store.snapshot();
    context.stdout.write(args.options["json"] === true ? `${asciiJson(rows.map((row) => asJson(row, refreshes)), 2)}\n` : table(rows));
    return 0;
  });

export const enableAccount: Command = (context, args) => change(context, args, ({ commands }, id) => commands.setEnabled(id, true), "enabled");

export const disableAccount: Command = (context, args) => change(context, args, ({ commands }, id) => commands.setEnabled(id, false), "disabled");

export const removeAccount: Command = (context, args) => change(context, args, ({ commands }, id) => commands.logout(id), "removed");

export const renameAccount: Command = (context, args) => {
  const label = args.positionals[1] ?? "";
  if (label.trim() === "" || label.length > 100 || label !== visibleText(label)) {
    throw new AppError({ code: "bad-usage", message: "A label is a line of 1 to 100 visible characters.", hint: "claude-oauth-proxy accounts rename ACCOUNT LABEL" });
  }
  return change(context, args, ({ commands }, id) => commands.rename(id, label), "renamed");
};

export const prioritizeAccount: Command = (context, args) => {
  const text = args.positionals[1] ?? "";
  if (!/^-?\d{1,6}$/.test(text)) {
    throw new AppError({ code: "bad-usage", message: "A priority is a whole number; lower comes first.", hint: "claude-oauth-proxy accounts priority ACCOUNT 1" });
  }
  return change(context, args, ({ commands }, id) => commands.setPriority(id, Number(text)), `priority ${text}`);
};

/** `accounts set ACCOUNT KEY [VALUE]`: an account at another server than the configured one. */
export const setAccount: Command = (context, args) => {
  const [, key = "", value = ""] = args.positionals;
  return change(context, args, ({ commands }, id) => commands.setEndpoint(id, key, value === "" ? null : value), value === "" ? `uses the setting for ${key}` : `has its own ${key}; its credential goes there`);
};

/** `accounts add-key`: the key comes from standard input, so that no process list and no history shows it. */
export const addKey: Command = (context, args) =>
  withStore(context, args, async (store) => {
    const key = await askLine({ stdin: context.stdin, ask: (text) => void context.stderr.write(text), question: "API key (not shown): " });
    if (key === null) throw new AppError({ code: "bad-usage", message: "No API key came from standard input.", hint: "claude-oauth-proxy accounts add-key < file-with-the-key" });
    const { account, label } = args.options;
    const { accountId } = await store.commands.addApiKey({
      key,
      ...(typeof account === "string" ? { accountId: account } : {}),
      ...(typeof label === "string" ? { label } : {}),
      ...ownEndpoints(args),
    });
    context.stderr.write(`account ${accountId} added\n`);
    return 0;
  });

const change = (context: CliContext, args: ParsedArgs, work: (store: OpenStore, id: string) => Promise<unknown>, done: string): Promise<number> =>
  withStore(context, args, async (store) => {
    const id = args.positionals[0] ?? "";
    await work(store, id);
    context.stderr.write(`account ${id} ${done}\n`);
    return 0;
  });

const asJson = (row: AccountRow, refreshes: AppState["refreshes"]): Record<string, unknown> => ({ ...toHealthAccount(row, refreshes), enabled: row.enabled, priority: row.priority });

const table = (rows: readonly AccountRow[]): string => {
  if (rows.length === 0) return "no account; sign in with: claude-oauth-proxy login\n";
  const cells = [["ID", "KIND", "HEALTH", "PRIORITY", "EXPIRES", "LABEL"], ...rows.map(cellsOf)];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells.map((row) => `${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()}\n`).join("");
};

const cellsOf = (row: AccountRow): string[] => [
  row.id,
  row.kind,
  row.enabled ? row.health : "disabled",
  String(row.priority),
  toHealthAccount(row, []).expires_at?.slice(0, 16).replace("T", " ") ?? "never",
  visibleText(row.label, 100),
];
