// The three scripts. Each walks the words typed so far to a place of the table and offers what may follow.
import type { Spot } from "./completion.ts";

const command = "claude-oauth-proxy";

/** For `eval "$(claude-oauth-proxy completion bash)"`. */
export const bashScript = (spots: readonly Spot[]): string => `# bash completion for ${command}
_claude_oauth_proxy() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" path="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path \${COMP_WORDS[i]}" in
${walk(spots, (path) => `path="${path}"`)}
    esac
  done
  case "$path $prev" in
${optionValues(spots, (values) => `COMPREPLY=($(compgen -W "${values}" -- "$cur")); return`, "COMPREPLY=($(compgen -f -- \"$cur\")); return")}
  esac
  case "$path" in
${spots.map((spot) => `    "${spot.path}") COMPREPLY=($(compgen ${spot.rest === "files" ? "-f " : spot.rest === "commands" ? "-c " : ""}-W "${offered(spot)}" -- "$cur")) ;;`).join("\n")}
  esac
}
complete -o bashdefault -F _claude_oauth_proxy ${command}
`;

/** For a file named `_claude-oauth-proxy` in `$fpath`, or `eval`. */
export const zshScript = (spots: readonly Spot[]): string => `#compdef ${command}
_claude_oauth_proxy() {
  local place="" prev="\${words[CURRENT-1]}" i
  for ((i = 2; i < CURRENT; i++)); do
    case "$place \${words[i]}" in
${walk(spots, (path) => `place="${path}"`)}
    esac
  done
  case "$place $prev" in
${optionValues(spots, (values) => `compadd -- ${values}; return`, "_files; return")}
  esac
  case "$place" in
${spots.map((spot) => `    "${spot.path}") compadd -- ${offered(spot)}${spot.rest === "files" ? "; _files" : spot.rest === "commands" ? "; _command_names" : ""} ;;`).join("\n")}
  esac
}
if [ "\${funcstack[1]}" = "_claude_oauth_proxy" ]; then
  _claude_oauth_proxy "$@"
else
  compdef _claude_oauth_proxy ${command}
fi
`;

/** For `claude-oauth-proxy completion fish | source`. */
export const fishScript = (spots: readonly Spot[]): string => {
  const lines = spots.flatMap((spot) => {
    const when = condition(spot, spots);
    const words = spot.words.map(({ word, text }) => `complete -c ${command} -n ${fish(when)} -a ${word} -d ${fish(text)}`);
    const options = spot.options.map(({ name, text, values, takesValue }) => {
      const value = values.length > 0 ? ` -x -a ${fish(values.join(" "))}` : takesValue ? " -r -F" : "";
      return `complete -c ${command} -n ${fish(when)} -l ${name.slice(2)}${value} -d ${fish(text)}`;
    });
    const rest = spot.rest === "files" ? [`complete -c ${command} -n ${fish(when)} -F`] : spot.rest === "commands" ? [`complete -c ${command} -n ${fish(when)} -a '(__fish_complete_subcommand)'`] : [];
    return [...words, ...options, ...rest];
  });
  return `# fish completion for ${command}\ncomplete -c ${command} -f\n${lines.join("\n")}\n`;
};

const condition = ({ path }: Spot, spots: readonly Spot[]): string => {
  if (path === "") return "__fish_use_subcommand";
  const inner = spots.filter((spot) => spot.path.startsWith(`${path} `)).map((spot) => spot.path.slice(path.length + 1));
  const seen = path.split(" ").map((word) => `__fish_seen_subcommand_from ${word}`);
  return [...seen, ...(inner.length === 0 ? [] : [`not __fish_seen_subcommand_from ${inner.join(" ")}`])].join("; and ");
};

// "path word" → the path one word further.
const walk = (spots: readonly Spot[], assign: (path: string) => string): string =>
  spots
    .filter(({ path }) => path !== "")
    .map(({ path }) => {
      const words = path.split(" ");
      return `      "${words.slice(0, -1).join(" ")} ${words.at(-1) ?? ""}") ${assign(path)} ;;`;
    })
    .join("\n");

const optionValues = (spots: readonly Spot[], offer: (values: string) => string, files: string): string =>
  spots
    .flatMap(({ path, options }) =>
      options.filter(({ takesValue }) => takesValue).map(({ name, values }) => `    "${path} ${name}") ${values.length > 0 ? offer(values.join(" ")) : files} ;;`),
    )
    .join("\n");

const offered = ({ words, options }: Spot): string => [...words.map(({ word }) => word), ...options.map(({ name }) => name)].join(" ");

const fish = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
