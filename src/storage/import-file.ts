// Reads the credentials of the two ancestors and merges them into ours without replacing anything.
import { join } from "node:path";
import type { Account } from "../accounts/account.ts";
import { AppError } from "../messages/errors.ts";
import type { Files } from "./files.ts";
import { parseImport } from "./import-shapes.ts";
import type { Imported } from "./import-shapes.ts";
import { unreadable } from "./store-error.ts";

const largestFile = 4 * 1024 * 1024;

/**
 * Reads `path`: a file, or a folder with `oauth_tokens.json` or `account_*.json` in it. In a folder a bad
 * file is a problem of its own; `store-unreadable` is thrown when nothing at all can be used.
 */
export const readImport = (path: string, { files, now }: { readonly files: Files; readonly now: number }): Imported => {
  const stat = attempt(path, () => files.statSync(path));
  if (!stat.isDirectory()) return readOne(path, files, now);
  const names = attempt(path, () => files.readdirSync(path)).filter((name) => name === "oauth_tokens.json" || /^account_.*\.json$/.test(name));
  if (names.length === 0) throw nothingIn(path, "there is no oauth_tokens.json and no account_*.json in this folder");
  const parts = names.sort().map((name) => tolerate(() => readOne(join(path, name), files, now)));
  const accounts = parts.flatMap((part) => part.accounts);
  const problems = parts.flatMap((part) => part.problems);
  if (accounts.length === 0) throw nothingIn(path, problems.join("; "));
  return { accounts, problems };
};

const attempt = <T>(path: string, work: () => T): T => {
  try {
    return work();
  } catch (error) {
    throw unreadable(path, error);
  }
};

const readOne = (path: string, files: Files, now: number): Imported => {
  const stat = attempt(path, () => files.statSync(path));
  if (!stat.isFile()) throw nothingIn(path, "it is not a regular file");
  if (stat.size > largestFile) throw nothingIn(path, "it is larger than 4 MiB");
  const result = parseImport(attempt(path, () => files.readFileSync(path, "utf8")).replace(/^\uFEFF/, ""), now);
  if (!result.ok) throw nothingIn(path, result.reason);
  const problems = result.problems.map((problem) => `${path}: ${problem}`);
  if (result.accounts.length === 0) throw nothingIn(path, problems.join("; "));
  return { accounts: result.accounts, problems };
};

const tolerate = (read: () => Imported): Imported => {
  try {
    return read();
  } catch (error) {
    if (error instanceof AppError) return { accounts: [], problems: [error.message] };
    throw error;
  }
};

const nothingIn = (path: string, reason: string): AppError =>
  new AppError({
    code: "store-unreadable",
    message: `nothing can be imported from ${path}: ${reason}`,
    hint: "Give the oauth_tokens.json of claude-code-mux, or an account_*.json of claude-proxy, or the folder that holds them.",
  });

/** What became of one imported account; `id` is its name here. */
export type MergeResult = { readonly outcome: "imported" | "kept" | "renamed"; readonly id: string; readonly from: string };

/**
 * Adds `incoming` to `current`. An account that is here already under its name, with the same credential,
 * is kept as it is; a name taken by another credential is given a number. Nothing is replaced.
 */
export const mergeImport = (current: ReadonlyMap<string, Account>, incoming: readonly Account[]) => {
  const accounts = new Map(current);
  const results: MergeResult[] = [];
  for (const account of incoming) {
    const known = [...accounts.values()].find((other) => sameCredential(other, account));
    const id = known?.id ?? freeId(account.id, accounts);
    if (known === undefined) accounts.set(id, { ...account, id });
    results.push({ outcome: known !== undefined ? "kept" : id === account.id ? "imported" : "renamed", id, from: account.id });
  }
  return { accounts: accounts as ReadonlyMap<string, Account>, results: results as readonly MergeResult[] };
};

/** A chain of refresh tokens must have one owner here, so the same token is the same account, whatever its name. */
const sameCredential = (left: Account, right: Account): boolean => {
  const [a, b] = [left.refreshToken ?? left.accessToken, right.refreshToken ?? right.accessToken];
  return left.kind === right.kind && a.reveal() === b.reveal();
};

const freeId = (wanted: string, taken: ReadonlyMap<string, Account>): string => {
  let id = wanted;
  for (let number = 2; taken.has(id); number += 1) id = `${wanted.slice(0, 56)}-${number}`;
  return id;
};
