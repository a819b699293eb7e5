// The command line, read by commander and by it alone: from the table to one chosen command with its arguments. A
// wrong word is an `AppError` `bad-usage` that says what was probably meant.
import { Command as Parser, CommanderError, Option } from "commander";
import { nearest } from "../config/text.ts";
import { AppError } from "../messages/errors.ts";
import { commandTable, globalOptions, startOptions } from "./commands.ts";
import type { CommandSpec, OptionSpec } from "./commands.ts";
import type { GlobalOptions, ParsedArgs } from "./context.ts";

export type ChosenCommand = { readonly load: CommandSpec["load"]; readonly args: ParsedArgs };

/** Reads `argv` (without node and script); null when `print` got all that was asked for (`--help`, `--version`). Throws `AppError` `bad-usage`. */
export const chooseCommand = (argv: readonly string[], version: string, print: (text: string) => void): ChosenCommand | null => {
  let chosen: ChosenCommand | null = null;
  const root = buildRoot(version, print, (spec, parser) => {
    chosen = { load: spec.load, args: argsOf(spec, parser) };
  });
  try {
    root.parse(argv, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) throw badUsage(withoutValues(error));
  }
  return chosen;
};

type Choose = (spec: CommandSpec, parser: Parser) => void;

const name = "claude-oauth-proxy";

const description = `Keeps Claude Code signed in: a loopback proxy that keeps OAuth tokens fresh and shows live what happens.
Without a command it starts.`;

const buildRoot = (version: string, print: (text: string) => void, choose: Choose): Parser => {
  const root = new Parser(name)
    .description(description)
    .usage("[options] [command]")
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [command]", "print the help of a command")
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ writeOut: print, outputError: () => {}, writeErr: () => {} });
  const [start] = commandTable;
  if (start !== undefined) fillGroup(root, { ...start, options: startOptions, subcommands: commandTable }, choose);
  return root;
};

// A group runs its own command when no subcommand follows; any other word there is a slip.
const fillGroup = (parser: Parser, spec: CommandSpec, choose: Choose): void => {
  const { options = [], subcommands = [] } = spec;
  addOptions(parser, options);
  parser.argument("[unexpected...]").usage("[options] [command]");
  parser.action(() => {
    const [word] = parser.args;
    if (word !== undefined) throw badUsage(unknownWord(word, subcommands));
    choose(spec, parser);
  });
  for (const subcommand of subcommands) addCommand(parser, subcommand, choose);
};

const addCommand = (parent: Parser, spec: CommandSpec, choose: Choose): void => {
  const parser = parent.command(spec.name).description(spec.description).summary(spec.description);
  if (spec.subcommands !== undefined) {
    fillGroup(parser.enablePositionalOptions(), spec, choose);
    return;
  }
  addOptions(parser, spec.options ?? []);
  for (const argument of spec.arguments ?? []) parser.argument(argument);
  if (spec.passThrough === true) parser.passThroughOptions();
  parser.action(() => choose(spec, parser));
};

const addOptions = (parser: Parser, options: readonly OptionSpec[]): void => {
  for (const { flags, description: text, choices } of [...options, ...globalOptions]) {
    const option = new Option(flags, text);
    if (choices !== undefined) option.choices(choices);
    if (option.name() === "set") option.argParser((value: string, earlier: readonly string[] = []) => [...earlier, value]);
    parser.addOption(option);
  }
};

const argsOf = (spec: CommandSpec, parser: Parser): ParsedArgs => {
  const line = lineage(parser);
  refuseStrayOptions(line);
  const options = optionsOf(parser);
  const settings = (spec.options ?? []).flatMap(({ flags, setting }) => {
    const flag = flags.split(" ")[0] ?? "";
    const text = options[flag.slice(2)];
    return setting !== undefined && typeof text === "string" ? [{ key: setting, name: flag, text }] : [];
  });
  return { positionals: parser.args, options, settings, global: globalOf(line) };
};

// The root first.
const lineage = (parser: Parser): readonly Parser[] => (parser.parent === null ? [parser] : [...lineage(parser.parent), parser]);

const globalNames = new Set(["dir", "set", "ascii"]);

// `--port 0 status`: the option was read by the group in front, where it would be lost without a word.
const refuseStrayOptions = (line: readonly Parser[]): void => {
  for (const parser of line.slice(0, -1)) {
    const stray = parser.options.find((option) => !globalNames.has(option.name()) && parser.getOptionValueSource(option.attributeName()) === "cli");
    if (stray !== undefined) throw badUsage(`option '${stray.long ?? stray.flags}' does not belong before '${line.at(-1)?.name() ?? ""}'`);
  }
};

const optionsOf = (parser: Parser): ParsedArgs["options"] => {
  const values = parser.opts<Record<string, string | boolean | undefined>>();
  return Object.fromEntries(
    parser.options
      .filter((option) => !globalNames.has(option.name()))
      .map((option) => [option.negate ? option.name().replace(/^no-/, "") : option.name(), values[option.attributeName()]]),
  );
};

// Valid before and after the command's name; the later one wins, `--set` adds up.
const globalOf = (line: readonly Parser[]): GlobalOptions => {
  const values = line.map((parser) => parser.opts<{ dir?: string; set?: string[]; ascii?: boolean }>());
  return {
    dir: values.findLast(({ dir }) => dir !== undefined)?.dir,
    set: values.flatMap(({ set }) => set ?? []),
    ascii: values.some(({ ascii }) => ascii === true),
  };
};

const unknownWord = (word: string, subcommands: readonly CommandSpec[]): string => {
  const meant = nearest(word, subcommands.map((spec) => spec.name));
  const named = /^[\w:.-]{1,24}$/.test(word) ? `'${word}'` : `of ${word.length} characters`;
  return `unknown command ${named}${meant === null ? "" : `\n(Did you mean ${meant}?)`}`;
};

// What is in the wrong place may be a secret: a code behind `login`, a key behind `add-key`, `--token=…`.
const withoutValues = ({ code, message }: CommanderError): string => {
  if (code === "commander.excessArguments") return message.replace(/( but got \d+): .*$/s, "$1");
  if (code === "commander.invalidArgument") {
    const [option = ""] = message.split(" argument '", 1);
    return `${option} does not take that value${message.slice(message.lastIndexOf("' is invalid") + "' is invalid".length)}`;
  }
  if (code !== "commander.unknownOption") return message;
  const [start = ""] = message.split(" '", 1);
  const [flag] = /^ '(?:--[\w-]{1,30}(?=[='])|-\w)/.exec(message.slice(start.length)) ?? [];
  const [meant = ""] = /\n\(Did you .{1,80}$/.exec(message.slice(-100)) ?? [];
  return `${start}${flag === undefined ? "" : `${flag}'`}${meant.endsWith("?)") ? meant : ""}`;
};

const badUsage = (message: string): AppError => {
  const [first = "", meant] = message.replace(/^error: /, "").replace(/\.$/, "").split("\n");
  const hint = meant === undefined ? "" : `${meant.replace(/[()]/g, "")} `;
  return new AppError({ code: "bad-usage", message: `${first}.`, hint: `${hint}\`${name} --help\` lists commands and options.` });
};
