// Every command once: name, arguments, options, what it is for, and the file it lives in. The parser, `--help`, the
// shell completions and the README's table come from here; a new command is an entry here and its own file in
// `commands/`, which is loaded only when the command is run.
import { settingKeys } from "../config/schema.ts";
import type { SettingKey } from "../config/schema.ts";
import { shells } from "../lib/shell-quote.ts";
import type { Command } from "./context.ts";

export type OptionSpec = {
  /** As in `--port <number>`; no argument means on or off. */
  readonly flags: string;
  readonly description: string;
  readonly choices?: readonly string[];
  /** The setting that the option sets; it beats the environment and the preferences. */
  readonly setting?: SettingKey;
};

export type CommandSpec = {
  readonly name: string;
  readonly description: string;
  /** `<name>` is required, `[name]` optional, `...` takes the rest. */
  readonly arguments?: readonly string[];
  /** What a shell offers for the first argument. */
  readonly completes?: { readonly words: readonly string[]; readonly description: string } | "files" | "commands";
  readonly options?: readonly OptionSpec[];
  /** The group itself runs `load`. */
  readonly subcommands?: readonly CommandSpec[];
  /** Everything behind the first argument belongs to that one. */
  readonly passThrough?: boolean;
  readonly load: () => Promise<Command>;
};

/** Valid with every command. */
export const globalOptions: readonly OptionSpec[] = [
  { flags: "--dir <folder>", description: "data folder" },
  { flags: "--set <key=value>", description: "any setting, repeatable" },
  { flags: "--ascii", description: "plain ASCII on the screen" },
];

/** Also valid without any command. */
export const startOptions: readonly OptionSpec[] = [
  { flags: "--port <number>", setting: "server.port", description: "port to listen on, 0 for any free one" },
  { flags: "--host <name>", setting: "server.host", description: "address to listen on" },
  { flags: "--headless", description: "log lines instead of the dashboard" },
  { flags: "--plain", description: "the same as --headless" },
  { flags: "--mode <mode>", setting: "mode", description: "who holds the credentials", choices: ["oauth", "pass-through"] },
  { flags: "--account <id>", description: "use this account only" },
  { flags: "--log-level <level>", setting: "log.level", description: "least important line that is written", choices: ["debug", "info", "warn", "error", "silent"] },
  { flags: "--log-format <format>", setting: "log.format", description: "how a log line looks", choices: ["text", "json"] },
  { flags: "--log-file <file>", setting: "log.file", description: "write the log here too" },
  { flags: "--record <file>", description: "write every event here as NDJSON" },
];

const json: OptionSpec = { flags: "--json", description: "as JSON" };

const accounts = async (): Promise<typeof import("./commands/accounts.ts")> => import("./commands/accounts.ts");
const config = async (): Promise<typeof import("./commands/config.ts")> => import("./commands/config.ts");

const baseUrlOption: OptionSpec = { flags: "--base-url <url>", description: "API of this account alone" };

/** Addresses of one account alone; the names are those of `endpointKeys` in kebab case. */
const endpointOptions: readonly OptionSpec[] = [
  baseUrlOption,
  { flags: "--token-url <url>", description: "its own token endpoint" },
  { flags: "--authorize-url <url>", description: "its own authorize page" },
  { flags: "--redirect-uri <url>", description: "its own redirect of the pasted link" },
  { flags: "--client-id <id>", description: "its own OAuth client id" },
  { flags: "--scopes <scopes>", description: "its own scopes" },
];

const accountCommands: readonly CommandSpec[] = [
  { name: "list", description: "show every account", options: [json], load: async () => (await accounts()).listAccounts },
  { name: "enable", description: "let an account serve again", arguments: ["<account>"], load: async () => (await accounts()).enableAccount },
  { name: "disable", description: "keep an account, but do not use it", arguments: ["<account>"], load: async () => (await accounts()).disableAccount },
  { name: "remove", description: "sign an account out and forget it", arguments: ["<account>"], load: async () => (await accounts()).removeAccount },
  { name: "rename", description: "give an account another label", arguments: ["<account>", "<label>"], load: async () => (await accounts()).renameAccount },
  { name: "priority", description: "set an account's place, lower comes first", arguments: ["<account>", "<number>"], load: async () => (await accounts()).prioritizeAccount },
  {
    name: "set",
    description: "give an account its own baseUrl, tokenUrl, authorizeUrl, redirectUri, clientId or scopes; without a value back to the settings",
    arguments: ["<account>", "<key>", "[value]"],
    load: async () => (await accounts()).setAccount,
  },
  {
    name: "add-key",
    description: "add an API key, read from standard input",
    options: [
      { flags: "--account <id>", description: "id of the new account" },
      { flags: "--label <label>", description: "label of the new account" },
      baseUrlOption,
    ],
    load: async () => (await accounts()).addKey,
  },
];

const settings = { words: settingKeys, description: "setting" };

const configCommands: readonly CommandSpec[] = [
  { name: "list", description: "show every setting and where it came from", options: [json], load: async () => (await config()).listSettings },
  { name: "get", description: "print one value", arguments: ["<key>"], completes: settings, load: async () => (await config()).getSetting },
  { name: "set", description: "keep a value in the preferences", arguments: ["<key>", "<value>"], completes: settings, load: async () => (await config()).setSetting },
  { name: "unset", description: "take a value out of the preferences", arguments: ["<key>"], completes: settings, load: async () => (await config()).unsetSetting },
  { name: "path", description: "print where the preferences are", load: async () => (await config()).printConfigPath },
];

export const commandTable: readonly CommandSpec[] = [
  { name: "start", description: "start the proxy: dashboard on a terminal, log lines elsewhere (the default)", options: startOptions, load: async () => (await import("./commands/start.ts")).start },
  {
    name: "demo",
    description: "the same against a simulated Anthropic inside this program; no account needed",
    options: [...startOptions, { flags: "--traffic", description: "generate requests" }],
    load: async () => (await import("./commands/demo.ts")).demo,
  },
  {
    name: "login",
    description: "sign in and exit",
    options: [
      { flags: "--account <id>", description: "sign this account in again, or name the new one" },
      { flags: "--console", description: "make an API key by signing in to the console" },
      { flags: "--no-browser", description: "only print the link" },
      { flags: "--yes", description: "keep it whoever signs in, without a question" },
      ...endpointOptions,
    ],
    load: async () => (await import("./commands/login.ts")).login,
  },
  { name: "logout", description: "remove credentials", arguments: ["[account]"], options: [{ flags: "--all", description: "of every account" }], load: async () => (await import("./commands/logout.ts")).logout },
  { name: "accounts", description: "manage accounts", options: [json], subcommands: accountCommands, load: async () => (await accounts()).listAccounts },
  { name: "import", description: "read accounts from claude-code-mux or claude-proxy", arguments: ["<file>"], completes: "files", load: async () => (await import("./commands/import.ts")).importFile },
  { name: "refresh", description: "refresh a token now", arguments: ["[account]"], load: async () => (await import("./commands/refresh.ts")).refresh },
  {
    name: "status",
    description: "show a running proxy's state, else the store's",
    options: [json, { flags: "--short", description: "one line for a status bar" }],
    load: async () => (await import("./commands/status.ts")).status,
  },
  { name: "run", description: "run a command with the proxy around it", arguments: ["<command>", "[arguments...]"], completes: "commands", options: startOptions, passThrough: true, load: async () => (await import("./commands/run.ts")).run },
  {
    name: "env",
    description: "print what a client needs, for eval",
    options: [{ flags: "--shell <shell>", description: "whose words to use", choices: shells }, json],
    load: async () => (await import("./commands/env.ts")).env,
  },
  { name: "print-key", description: "print the local key and nothing else", load: async () => (await import("./commands/env.ts")).printKey },
  { name: "doctor", description: "check this machine, then prove that the proxy is transparent", options: [json], load: async () => (await import("../doctor/doctor.ts")).doctor },
  { name: "config", description: "read and write preferences", options: [json], subcommands: configCommands, load: async () => (await config()).listSettings },
  { name: "completion", description: "print a completion script", arguments: ["<shell>"], completes: { words: ["bash", "zsh", "fish"], description: "shell" }, load: async () => (await import("./commands/completion.ts")).completion },
];
