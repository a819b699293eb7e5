// `completion SHELL`: scripts made from the command table, so that they cannot go stale. Each walks the words typed
// so far to a place of the table and offers what may follow.
import { fishQuote } from "../../lib/shell-quote.ts";
import { AppError } from "../../messages/errors.ts";
import { commandTable, globalOptions, startOptions } from "../commands.ts";
import type { CommandSpec, OptionSpec } from "../commands.ts";
import type { Command } from "../context.ts";

export const completion: Command = async (context, { positionals: [shell = ""] }) => {
  const scripts: Readonly<Record<string, (places: readonly Place[]) => string>> = { bash: bashScript, zsh: zshScript, fish: fishScript };
  const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined;
  if (script === undefined) throw new AppError({ code: "bad-usage", message: "Completions exist for bash, zsh and fish.", hint: "claude-oauth-proxy completion bash" });
  context.stdout.write(script(placesOf(commandTable)));
  return 0;
};

/** One place on the command line: the words before it, and what may follow. */
export type Place = {
  /** `""`, `"status"`, `"accounts list"`. */
  readonly path: string;
  readonly words: readonly Word[];
  readonly options: readonly (Word & { readonly values: readonly string[]; readonly takesValue: boolean })[];
  /** Completed by the shell itself. */
  readonly rest: "files" | "commands" | "nothing";
};

type Word = { readonly name: string; readonly description: string };

/** Every place of `table`, the root first. */
export const placesOf = (table: readonly CommandSpec[]): readonly Place[] => [
  { path: "", words: table, options: optionWords([...startOptions, { flags: "--version", description: "print the version" }]), rest: "nothing" },
  ...table.flatMap((spec) => [placeOf(spec, spec.name), ...(spec.subcommands ?? []).map((inner) => placeOf(inner, `${spec.name} ${inner.name}`))]),
];

const placeOf = ({ subcommands = [], completes, options = [] }: CommandSpec, path: string): Place => {
  if (typeof completes === "string") return { path, words: subcommands, options: optionWords(options), rest: completes };
  const values = (completes?.words ?? []).map((name) => ({ name, description: completes?.description ?? "" }));
  return { path, words: [...subcommands, ...values], options: optionWords(options), rest: "nothing" };
};

const optionWords = (options: readonly OptionSpec[]): Place["options"] =>
  [...options, ...globalOptions, { flags: "--help", description: "print help" }].map(({ flags, description, choices }: OptionSpec) => ({
    name: flags.split(" ")[0] ?? flags,
    description,
    values: choices ?? [],
    takesValue: flags.includes("<"),
  }));

const program = "claude-oauth-proxy";

/** For `eval "$(claude-oauth-proxy completion bash)"`. */
export const bashScript = (places: readonly Place[]): string => `# bash completion for ${program}
_claude_oauth_proxy() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" path="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path \${COMP_WORDS[i]}" in
${walk(places, (path) => `path="${path}"`)}
    esac
  done
  case "$path $prev" in
${optionValues(places, (values) => `COMPREPLY=($(compgen -W "${values}" -- "$cur")); return`, "COMPREPLY=($(compgen -f -- \"$cur\")); return")}
  esac
  case "$path" in
${places.map((place) => `    "${place.path}") COMPREPLY=($(compgen ${place.rest === "files" ? "-f " : place.rest === "commands" ? "-c " : ""}-W "${offeredAt(place)}" -- "$cur")) ;;`).join("\n")}
  esac
}
complete -o bashdefault -F _claude_oauth_proxy ${program}
`;

// For a file named `_claude-oauth-proxy` in `$fpath`, or `eval`.
const zshScript = (places: readonly Place[]): string => `#compdef ${program}
_claude_oauth_proxy() {
  local place="" prev="\${words[CURRENT-1]}" i
  for ((i = 2; i < CURRENT; i++)); do
    case "$place \${words[i]}" in
${walk(places, (path) => `place="${path}"`)}
    esac
  done
  case "$place $prev" in
${optionValues(places, (values) => `compadd -- ${values}; return`, "_files; return")}
  esac
  case "$place" in
${places.map((place) => `    "${place.path}") compadd -- ${offeredAt(place)}${place.rest === "files" ? "; _files" : place.rest === "commands" ? "; _command_names" : ""} ;;`).join("\n")}
  esac
}
if [ "\${funcstack[1]}" = "_claude_oauth_proxy" ]; then
  _claude_oauth_proxy "$@"
else
  compdef _claude_oauth_proxy ${program}
fi
`;

// "path word" → the path one word further.
const walk = (places: readonly Place[], assign: (path: string) => string): string =>
  places
    .filter(({ path }) => path !== "")
    .map(({ path }) => {
      const words = path.split(" ");
      return `      "${words.slice(0, -1).join(" ")} ${words.at(-1) ?? ""}") ${assign(path)} ;;`;
    })
    .join("\n");

const optionValues = (places: readonly Place[], offer: (values: string) => string, files: string): string =>
  places
    .flatMap(({ path, options }) =>
      options.filter(({ takesValue }) => takesValue).map(({ name, values }) => `    "${path} ${name}") ${values.length > 0 ? offer(values.join(" ")) : files} ;;`),
    )
    .join("\n");

const offeredAt = ({ words, options }: Place): string => [...words, ...options].map(({ name }) => name).join(" ");

/** For `claude-oauth-proxy completion fish | source`. */
export const fishScript = (places: readonly Place[]): string => {
  const lines = places.flatMap((place) => {
    const entry = `complete -c ${program} -n ${fishQuote(fishCondition(place, places))}`;
    return [
      ...place.words.map(({ name, description }) => `${entry} -a ${name} -d ${fishQuote(description)}`),
      ...place.options.map(({ name, description, values, takesValue }) => {
        const value = values.length > 0 ? ` -x -a ${fishQuote(values.join(" "))}` : takesValue ? " -r -F" : "";
        return `${entry} -l ${name.slice(2)}${value} -d ${fishQuote(description)}`;
      }),
      ...(place.rest === "nothing" ? [] : [place.rest === "files" ? `${entry} -F` : `${entry} -a '(__fish_complete_subcommand)'`]),
    ];
  });
  return `# fish completion for ${program}\ncomplete -c ${program} -f\n${lines.join("\n")}\n`;
};

const fishCondition = ({ path }: Place, places: readonly Place[]): string => {
  if (path === "") return "__fish_use_subcommand";
  const inner = places.filter((place) => place.path.startsWith(`${path} `)).map((place) => place.path.slice(path.length + 1));
  const seen = path.split(" ").map((word) => `__fish_seen_subcommand_from ${word}`);
  return [...seen, ...(inner.length === 0 ? [] : [`not __fish_seen_subcommand_from ${inner.join(" ")}`])].join("; and ");
};
