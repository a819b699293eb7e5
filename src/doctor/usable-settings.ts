// Settings for a program that has to run even when they are wrong: what is wrong is told, and the rest is
// used as far as it goes.
import { loadConfig } from "../config/load.ts";
import type { Loaded } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { AppError } from "../messages/errors.ts";
import { folderOf, loadFrom, preferencesOf } from "../cli/settings.ts";
import type { ParsedArgs, CliContext } from "../cli/context.ts";

export type UsableSettings = {
  readonly dir: string;
  /** Of the preferences file. */
  readonly path: string;
  readonly exists: boolean;
  readonly problems: readonly string[];
  readonly config: Config;
};

/** Never throws: at worst every value is the default. */
export const readSettings = (context: CliContext, args: ParsedArgs): UsableSettings => {
  const file = preferencesOf(context, args);
  const { values, problem } = readFile(() => file.read());
  const whole = loadFrom(context, args, { path: file.path, values: values ?? {} });
  const problems = [...(problem === null ? [] : [problem]), ...(whole.ok ? [] : whole.problems)];
  return { dir: folderOf(context, args), path: file.path, exists: values !== null, problems, config: usable([whole, ...lesser(context, args, file.path)]) };
};

const readFile = (read: () => Readonly<Record<string, unknown>> | null): { readonly values: Readonly<Record<string, unknown>> | null; readonly problem: string | null } => {
  try {
    return { values: read(), problem: null };
  } catch (error) {
    return { values: null, problem: error instanceof AppError ? error.message : "the preferences file cannot be read" };
  }
};

// Without the file, then without the environment, then without anything.
const lesser = (context: CliContext, args: ParsedArgs, path: string): readonly Loaded[] => [
  loadFrom(context, args, { path, values: {} }),
  loadFrom({ ...context, environment: {} }, args, { path, values: {} }),
  loadConfig({ flags: [], set: [], environment: {}, file: null }),
];

const usable = (attempts: readonly Loaded[]): Config => {
  for (const attempt of attempts) if (attempt.ok) return attempt.config;
  throw new AppError({ code: "bad-config", message: "The default settings are not accepted." });
};
