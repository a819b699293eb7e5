// Names of accounts: short, safe in a file, an event, a path and a shell.
import { AppError } from "../messages/errors.ts";
import { accountId as pattern } from "../storage/account-record.ts";

/** `wanted`, or `wanted-2`, `wanted-3` … when that is taken. */
export const freeAccountId = (wanted: string, taken: { has(id: string): boolean }): string => {
  let id = wanted;
  for (let number = 2; taken.has(id); number += 1) id = `${wanted}-${number}`;
  return id;
};

/** Throws `bad-usage` for a name that cannot be one. */
export const checkAccountId = (id: string): string => {
  if (pattern.test(id)) return id;
  throw new AppError({
    code: "bad-usage",
    message: `"${id.slice(0, 80)}" cannot be an account's name`,
    hint: "Use up to 64 lower-case letters, digits, dots, dashes and underscores, starting with a letter or a digit.",
  });
};
