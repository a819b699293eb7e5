// `completion SHELL`: scripts made from the command table, so that they cannot go stale.
import { settingKeys } from "../../config/schema.ts";
import { AppError } from "../../messages/errors.ts";
import { bashScript, fishScript, zshScript } from "./completion-scripts.ts";
import { commandTable, globalOptions, rootOptions } from "../commands.ts";
import type { CommandSpec, OptionSpec } from "../commands.ts";
import type { Command } from "../context.ts";

/** One place on the command line: the words before it, and what may follow. */
export type Spot = {
  /** `""`, `"status"`, `"accounts list"`. */
  readonly path: string;
  readonly words: readonly { readonly word: string; readonly text: string }[];
  readonly options: readonly { readonly name: string; readonly text: string; readonly values: readonly string[]; readonly takesValue: boolean }[];
  /** Completed by the shell itself. */
  readonly rest: "files" | "commands" | "nothing";
};

export const completion: Command = async (context, args) => {
  const scripts: Readonly<Record<string, (spots: readonly Spot[]) => string>> = { bash: bashScript, zsh: zshScript, fish: fishScript };
  const shell = args.positionals[0] ?? "";
  const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined;
  if (script === undefined) throw new AppError({ code: "bad-usage", message: "Completions exist for bash, zsh and fish.", hint: "claude-oauth-proxy completion bash" });
  context.stdout.write(script(spotsOf(commandTable)));
  return 0;
};

/** Every place of `table`, the root first. */
export const spotsOf = (table: readonly CommandSpec[]): readonly Spot[] => [
  spot("", { words: table, options: [...rootOptions, { flags: "--version", text: "print the version" }], rest: "nothing" }),
  ...table.flatMap((spec) => [spotOf(spec, spec.name), ...(spec.inner ?? []).map((inner) => spotOf(inner, `${spec.name} ${inner.name}`))]),
];

const spotOf = (spec: CommandSpec, path: string): Spot => {
  const first = spec.words?.[0] ?? "";
  const keys = first === "<key>" ? settingKeys.map((name) => ({ name, text: "setting" })) : [];
  const shells = first === "<shell>" ? ["bash", "zsh", "fish"].map((name) => ({ name, text: "shell" })) : [];
  const rest = first === "<file>" ? "files" : first === "<command>" ? "commands" : "nothing";
  return spot(path, { words: [...(spec.inner ?? []), ...keys, ...shells], options: spec.options ?? [], rest });
};

type Following = { readonly words: readonly { name: string; text: string }[]; readonly options: readonly OptionSpec[]; readonly rest: Spot["rest"] };

const spot = (path: string, { words, options, rest }: Following): Spot => ({
  path,
  words: words.map(({ name, text }) => ({ word: name, text })),
  options: [...options, ...globalOptions, { flags: "--help", text: "print help" }].map(({ flags, text, choices }) => ({
    name: flags.split(" ")[0] ?? flags,
    text,
    values: choices ?? [],
    takesValue: flags.includes("<"),
  })),
  rest,
});
