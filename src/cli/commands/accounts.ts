// `accounts …`: what is in the store, and the commands that change it. A running proxy sees the change by itself.
import type { OpenStore } from "../../app/open-store.ts";
import { asciiJson } from "../../lib/json.ts";
import { visibleText } from "../../lib/visible-text.ts";
import { endpointKeys } from "../../messages/commands.ts";
import type { LoginOptions } from "../../messages/commands.ts";
import { AppError } from "../../messages/errors.ts";
import type { AccountRow } from "../../state/state.ts";
import { textTable } from "../../tui/table.ts";
import type { TextColumn } from "../../tui/table.ts";
import type { CliContext, Command, ParsedArgs } from "../context.ts";
import { askLine } from "../prompt.ts";
import { textOption } from "../settings.ts";
import { withStore } from "../with-store.ts";
import { toHealthAccount } from "./status.ts";

/** `accounts list [--json]`. */
export const listAccounts: Command = (context, args) =>
  withStore(context, args, async ({ store }) => {
    const { accounts, refreshes } = store.snapshot();
    const asJson = (row: AccountRow) => ({ ...toHealthAccount(row, refreshes), enabled: row.enabled, priority: row.priority });
    context.stdout.write(`${args.options["json"] === true ? asciiJson(accounts.map(asJson), 2) : table(accounts)}\n`);
    return 0;
  });

const table = (accounts: readonly AccountRow[]): string =>
  accounts.length === 0 ? "no account; sign in with: claude-oauth-proxy login" : textTable(columns, accounts).join("\n");

const columns: readonly TextColumn<AccountRow>[] = [
  { title: "ID", cell: ({ id }) => id },
  { title: "KIND", cell: ({ kind }) => kind },
  { title: "HEALTH", cell: ({ enabled, health }) => (enabled ? health : "disabled") },
  { title: "PRIORITY", cell: ({ priority }) => String(priority) },
  { title: "EXPIRES", cell: (row) => toHealthAccount(row, []).expires_at?.slice(0, 16).replace("T", " ") ?? "never" },
  { title: "LABEL", cell: ({ label }) => visibleText(label, 100) },
];

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
  const done = value === "" ? `uses the setting for ${key}` : `has its own ${key}; its credential goes there`;
  return change(context, args, ({ commands }, id) => commands.setEndpoint(id, key, value === "" ? null : value), done);
};

/** `accounts add-key`: the key comes from standard input, so that no process list and no history shows it. */
export const addKey: Command = (context, args) =>
  withStore(context, args, async ({ commands }) => {
    const key = await askLine({ stdin: context.stdin, write: (text) => void context.stderr.write(text), question: "API key (not shown): " });
    if (key === null) throw new AppError({ code: "bad-usage", message: "No API key came from standard input.", hint: "claude-oauth-proxy accounts add-key < file-with-the-key" });
    const label = textOption(args, "label");
    const { accountId } = await commands.addApiKey({ key, ...(label === null ? {} : { label }), ...accountOptions(args) });
    context.stderr.write(`account ${accountId} added\n`);
    return 0;
  });

/** What `login` and `add-key` may say of the account: its id, and addresses of its own (`--base-url` is `baseUrl`). */
export const accountOptions = (args: ParsedArgs): Pick<LoginOptions, "accountId" | "endpoints"> => {
  const accountId = textOption(args, "account");
  const endpoints = endpointKeys.flatMap((key) => {
    const value = textOption(args, key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`));
    return value === null ? [] : [[key, value] as const];
  });
  return { ...(accountId === null ? {} : { accountId }), ...(endpoints.length === 0 ? {} : { endpoints: Object.fromEntries(endpoints) }) };
};

const change = (context: CliContext, args: ParsedArgs, work: (store: OpenStore, id: string) => Promise<unknown>, done: string): Promise<number> =>
  withStore(context, args, async (store) => {
    const id = args.positionals[0] ?? "";
    await work(store, id);
    context.stderr.write(`account ${id} ${done}\n`);
    return 0;
  });
