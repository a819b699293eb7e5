// Pane 3: every account with its health, token, limits, next refresh and last error.
import { tokenState } from "../../state/select.ts";
import type { AccountRow } from "../../state/state.ts";
import { amount, clockMinute } from "../../state/words.ts";
import { limitSegments } from "../format/limits.ts";
import { tableHeads, tableLine } from "../format/table.ts";
import type { TableColumn } from "../format/table.ts";
import { refreshText, tokenShort } from "../format/token.ts";
import { safe } from "../format/width.ts";
import { emptyLine, lineOf, segment } from "../theme.ts";
import type { Line, Segment, Tone } from "../theme.ts";
import type { View } from "../view.ts";
import type { Listing } from "./listing.ts";

const all = ["wide", "normal", "narrow", "tiny"] as const;

/** The accounts as they are to be drawn; an account with something to say has further lines. */
export const accountsListing = (view: View): Listing => {
  const { layout, glyphs, shown } = view;
  const setting = { breadth: layout.breadth, width: layout.columns, glyphs };
  const columns = accountColumns(view);
  const lines = shown.accounts.flatMap((account) => [
    { id: account.id, draw: (selected: boolean) => tableLine(columns, account, selected, setting) },
    ...remarks(account, view).map((line) => ({ id: null, draw: () => line })),
  ]);
  return {
    heads: tableHeads(columns, setting),
    ids: lines.map(({ id }) => id),
    line: (index, selected) => lines[index]?.draw(selected) ?? emptyLine,
    empty:
      shown.server.mode === "pass-through"
        ? [lineOf(segment(" pass-through: the client keeps its own login, nothing is stored here.", "dim"))]
        : [lineOf(segment(" No account yet. a signs one in, y adds an API key."))],
  };
};

/** The name an account goes by. */
export const accountName = ({ label, id }: Pick<AccountRow, "label" | "id">, { glyphs }: Pick<View, "glyphs">): string => safe(label === "" ? id : label, glyphs);

const healthTones: Readonly<Record<AccountRow["health"], Tone>> = { healthy: "good", cooling: "warning", limited: "warning", disabled: "dim", "needs-login": "error" };

/** `healthy`, `limited to 21:42`. */
export const healthWord = ({ health, coolingUntil }: AccountRow, now: number): Segment =>
  segment(coolingUntil !== null && coolingUntil > now ? `${health} to ${clockMinute(coolingUntil, now)}` : health.replace("-", " "), healthTones[health]);

const accountColumns = (view: View): readonly TableColumn<AccountRow>[] => [
  { title: "ACCOUNT", width: 8, grows: true, breadths: all, cell: (account) => segment(accountName(account, view), account.enabled ? "strong" : "dim") },
  { title: "KIND", width: 5, breadths: ["wide"], cell: ({ kind }) => segment(kind === "oauth" ? "plan" : "key", "dim") },
  { title: "PRIO", width: 4, right: true, breadths: ["wide", "normal"], cell: ({ priority }) => segment(String(priority), "dim") },
  { title: "HEALTH", width: 16, breadths: ["wide", "normal"], cell: (account) => healthWord(account, view.now) },
  { title: "TOKEN", width: 15, breadths: all, cell: (account) => tokenShort(account, view.now) },
  { title: "NEXT", width: 16, breadths: ["wide"], cell: (account) => segment(refreshText(account, view.now, view.about.leadMs), "dim") },
  { title: "REQ", width: 5, right: true, breadths: ["wide", "normal"], cell: ({ requests }) => segment(amount(requests)) },
];

const remarks = (account: AccountRow, view: View): readonly Line[] => {
  const limits = limitSegments(account, view.now, view.glyphs);
  const failed = account.lastError !== null && tokenState(account, view.now) !== "disabled";
  return [
    ...(limits.length === 0 ? [] : [lineOf(segment("    "), ...limits)]),
    ...(failed ? [lineOf(segment(`    last error: ${safe(account.lastError ?? "", view.glyphs)}`, account.health === "needs-login" ? "error" : "warning"))] : []),
  ];
};
