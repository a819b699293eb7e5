// Every command once: name, arguments, options, what it is for, where it lives. The parser, `--help`
// and the shell completions come from this table. A command's file is loaded only when it is run.
import type { Command } from "./context.ts";

export type OptionSpec = {
  /** As in `--port <number>`; no argument means on or off. */
  readonly flags: string;
  readonly text: string;
  readonly choices?: readonly string[];
};

export type CommandSpec = {
  readonly name: string;
  readonly text: string;
  /** `<name>` is required, `[name]` optional, `...` takes the rest. */
  readonly words?: readonly string[];
  readonly options?: readonly OptionSpec[];
  /** Inner commands; the group itself runs `load`. */
  readonly inner?: readonly CommandSpec[];
  /** Everything behind the first word belongs to that word. */
  readonly passesOn?: boolean;
  readonly load: () => Promise<Command>;
};

export const globalOptions: readonly OptionSpec[] = [
  { flags: "--dir <folder>", text: "data folder" },
  { flags: "--set <key=value>", text: "any setting, repeatable" },
  { flags: "--ascii", text: "plain ASCII on the screen" },
];

const levels = ["debug", "info", "warn", "error", "silent"];

const startOptions: readonly OptionSpec[] = [
  { flags: "--port <number>", text: "port to listen on, 0 for any free one" },
  { flags: "--host <name>", text: "address to listen on" },
  { flags: "--headless", text: "log lines instead of the dashboard" },
  { flags: "--plain", text: "the same as --headless" },
  { flags: "--mode <mode>", text: "who holds the credentials", choices: ["oauth", "pass-through"] },
  { flags: "--account <id>", text: "use this account only" },
  { flags: "--log-level <level>", text: "least important line that is written", choices: levels },
  { flags: "--log-format <format>", text: "how a log line looks", choices: ["text", "json"] },
  { flags: "--log-file <file>", text: "write the log here too" },
  { flags: "--record <file>", text: "write every event here as NDJSON" },
];

const json: OptionSpec = { flags: "--json", text: "as JSON" };

const accounts = async (): Promise<typeof import("./commands/accounts.ts")> => import("./commands/accounts.ts");
const config = async (): Promise<typeof import("./commands/config.ts")> => import("./commands/config.ts");

const addressOptions: readonly OptionSpec[] = [
  { flags: "--base-url <url>", text: "API of this account alone" },
];

const serverOptions: readonly OptionSpec[] = [
  ...addressOptions,
  { flags: "--token-url <url>", text: "its own token endpoint" },
  { flags: "--authorize-url <url>", text: "its own authorize page" },
  { flags: "--redirect-uri <url>", text: "its own redirect of the pasted link" },
  { flags: "--client-id <id>", text: "its own OAuth client id" },
  { flags: "--scopes <scopes>", text: "its own scopes" },
];

const accountCommands: readonly CommandSpec[] = [
  { name: "list", text: "show every account", options: [json], load: async () => (await accounts()).listAccounts },
  { name: "enable", text: "let an account serve again", words: ["<account>"], load: async () => (await accounts()).enableAccount },
  { name: "disable", text: "keep an account, but do not use it", words: ["<account>"], load: async () => (await accounts()).disableAccount },
  { name: "remove", text: "sign an account out and forget it", words: ["<account>"], load: async () => (await accounts()).removeAccount },
  { name: "rename", text: "give an account another label", words: ["<account>", "<label>"], load: async () => (await accounts()).renameAccount },
  { name: "priority", text: "set an account's place, lower comes first", words: ["<account>", "<number>"], load: async () => (await accounts()).prioritizeAccount },
  {
    name: "set",
    text: "give an account its own baseUrl, tokenUrl, authorizeUrl, redirectUri, clientId or scopes; without a value back to the settings",
    words: ["<account>", "<key>", "[value]"],
    load: async () => (await accounts()).setAccount,
  },
  {
    name: "add-key",
    text: "add an API key, read from standard input",
    options: [
      { flags: "--account <id>", text: "id of the new account" },
      { flags: "--label <label>", text: "label of the new account" },
      ...addressOptions,
    ],
    load: async () => (await accounts()).addKey,
  },
];

const configCommands: readonly CommandSpec[] = [
  { name: "list", text: "show every setting and where it came from", options: [json], load: async () => (await config()).listSettings },
  { name: "get", text: "print one value", words: ["<key>"], load: async () => (await config()).getSetting },
  { name: "set", text: "keep a value in the preferences", words: ["<key>", "<value>"], load: async () => (await config()).setSetting },
  { name: "unset", text: "take a value out of the preferences", words: ["<key>"], load: async () => (await config()).unsetSetting },
  { name: "path", text: "print where the preferences are", load: async () => (await config()).printConfigPath },
];

export const commandTable: readonly CommandSpec[] = [
  { name: "start", text: "start the proxy: dashboard on a terminal, log lines elsewhere (the default)", options: startOptions, load: async () => (await import("./commands/start.ts")).start },
  {
    name: "demo",
    text: "the same against a simulated Anthropic inside this program; no account needed",
    options: [...startOptions, { flags: "--traffic", text: "generate requests" }],
    load: async () => (await import("./commands/demo.ts")).demo,
  },
  {
    name: "login",
    text: "sign in and exit",
    options: [
      { flags: "--account <id>", text: "sign this account in again, or name the new one" },
      { flags: "--console", text: "make an API key by signing in to the console" },
      { flags: "--no-browser", text: "only print the link" },
      ...serverOptions,
    ],
    load: async () => (await import("./commands/login.ts")).login,
  },
  { name: "logout", text: "remove credentials", words: ["[account]"], options: [{ flags: "--all", text: "of every account" }], load: async () => (await import("./commands/logout.ts")).logout },
  { name: "accounts", text: "manage accounts", options: [json], inner: accountCommands, load: async () => (await accounts()).listAccounts },
  { name: "import", text: "read accounts from claude-code-mux or claude-proxy", words: ["<file>"], load: async () => (await import("./commands/import.ts")).importFile },
  { name: "refresh", text: "refresh a token now", words: ["[account]"], load: async () => (await import("./commands/refresh.ts")).refresh },
  {
    name: "status",
    text: "show a running proxy's state, else the store's",
    options: [json, { flags: "--short", text: "one line for a status bar" }],
    load: async () => (await import("./commands/status.ts")).status,
  },
  { name: "run", text: "run a command with the proxy around it", words: ["<command>", "[arguments...]"], options: startOptions, passesOn: true, load: async () => (await import("./commands/run.ts")).run },
  {
    name: "env",
    text: "print what a client needs, for eval",
    options: [{ flags: "--shell <shell>", text: "whose words to use", choices: ["bash", "zsh", "fish", "powershell"] }, json],
    load: async () => (await import("./commands/env.ts")).env,
  },
  { name: "print-key", text: "print the local key and nothing else", load: async () => (await import("./print-key.ts")).printKey },
  { name: "doctor", text: "check this machine, then prove that the proxy is transparent", options: [json], load: async () => (await import("../doctor/doctor.ts")).doctor },
  { name: "config", text: "read and write preferences", options: [json], inner: configCommands, load: async () => (await config()).listSettings },
  { name: "completion", text: "print a completion script", words: ["<shell>"], load: async () => (await import("./commands/completion.ts")).completion },
];

/** Options of `start`: also valid without any command. */
export const rootOptions = startOptions;
