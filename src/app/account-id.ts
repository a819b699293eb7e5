// Names of accounts: short, safe in a file, an event, a path and a shell.
import { AppError } from "../messages/errors.ts";
import { accountId as pattern } from "../storage/accounts-format.ts";

/** `wanted`, or `wanted-2`, `wanted-3` … when that is taken. */
export const freeAccountId = (wanted: string, taken: { has(id: string): boolean }): string => {
  let id = wanted;
  for (let number = 2; taken.has(id); number += 1) id = `${wanted}-${number}`;
  return id;
};

/** True for what an account may be called. */
export const isAccountId = (id: string): boolean => pattern.test(id);

/** Throws `bad-usage` for a name that cannot be one; without the name, which may be a secret in the wrong place. */
export const checkAccountId = (id: string): string => {
  if (isAccountId(id)) return id;
  throw new AppError({
    code: "bad-usage",
    message: `a text of ${id.length} characters like this cannot be an account's name`,
    hint: "Use up to 64 lower-case letters, digits, dots, dashes and underscores, starting with a letter or a digit.",
  });
};
