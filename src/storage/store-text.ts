// The whole credentials file as text and as accounts. Pure. A text that is not understood is a reason in
// words, never an exception with a piece of the text in it: V8's own JSON errors quote tokens.
import type { Account } from "../accounts/account.ts";
import { isObject, own } from "../lib/json.ts";
import type { JsonObject } from "../lib/json.ts";
import { formatRecord, parseRecord } from "./account-record.ts";

/** What the file says. `document` is the whole of it; `unused` names entries that are kept but not understood. */
export type StoreDocument = {
  readonly document: JsonObject;
  readonly accounts: ReadonlyMap<string, Account>;
  readonly unused: readonly { readonly id: string; readonly reason: string }[];
};

export type ParsedStore = { readonly ok: true; readonly store: StoreDocument } | { readonly ok: false; readonly reason: string };

export const emptyStore: StoreDocument = { document: { version: 1, accounts: {} }, accounts: new Map(), unused: [] };

const broken = (reason: string): ParsedStore => ({ ok: false, reason });

/** Reads the plain text of the file. */
export const parseStore = (text: string): ParsedStore => {
  if (text.trim() === "") return broken("it is empty");
  const document = parseJson(text);
  if (document === undefined) return broken("it is cut off or not JSON");
  if (!isObject(document)) return broken("it is JSON but not an object");
  const version = own(document, "version") ?? 1;
  if (typeof version !== "number") return broken("its version is not a number");
  if (version > 1) return broken(`it was written by a newer program (format ${version}, this one knows 1)`);
  const accounts = own(document, "accounts");
  if (!isObject(accounts)) return broken("it has no accounts object");
  return { ok: true, store: readEntries(document, accounts) };
};

/** Undefined when it is not JSON, or nested so deeply that it could not be written again. */
const parseJson = (text: string): unknown => {
  try {
    const value: unknown = JSON.parse(text);
    JSON.stringify(value);
    return value;
  } catch {
    return undefined;
  }
};

const readEntries = (document: JsonObject, entries: JsonObject): StoreDocument => {
  const accounts = new Map<string, Account>();
  const unused: { id: string; reason: string }[] = [];
  for (const [id, record] of Object.entries(entries)) {
    const account = parseRecord(id, record);
    if (typeof account === "string") unused.push({ id, reason: account });
    else accounts.set(id, account);
  }
  return { document, accounts, unused };
};

/**
 * The text for `next`: accounts that are no longer in it are dropped, entries that were not understood
 * and unknown fields stay as they were.
 */
export const formatStore = (before: StoreDocument, next: ReadonlyMap<string, Account>): string => {
  const raw = own(before.document, "accounts");
  const entries = isObject(raw) ? raw : {};
  const unused = before.unused.map(({ id }) => [id, own(entries, id)] as const);
  const used = [...next].map(([id, account]) => [id, formatRecord(account, own(entries, id))] as const);
  // `fromEntries` and spread define keys instead of assigning them, so `__proto__` stays a key.
  return `${JSON.stringify({ ...before.document, version: 1, accounts: Object.fromEntries([...unused, ...used]) }, null, 2)}\n`;
};
