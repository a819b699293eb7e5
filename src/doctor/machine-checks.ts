// Checks of the machine: Node, the terminal with its tmux, clipboard and browser, and the clock. Nothing is opened,
// copied or asked here; `machine.ts` has looked.
import type { Environment } from "../cli/context.ts";
import { whyNoBrowser } from "../tui/edges/browser.ts";
import { clipboardTools } from "../tui/edges/clipboard.ts";
import type { TerminalFacts } from "../tui/edges/terminal.ts";
import type { Machine, TmuxFacts } from "./machine.ts";
import { ok, problem, span, warning } from "./report.ts";
import type { Finding } from "./report.ts";

/** `engines` of the package. */
const oldestNode = [22, 19] as const;

export const nodeCheck = (version: string): Finding => {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const enough = major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1]);
  return enough ? ok("node", version) : problem("node", `${version}, and ${oldestNode.join(".")} is needed`, "Install a newer Node: https://nodejs.org");
};

/** `debuggerAt` as in `CliContext`: the proxy will be started from the same environment. */
export const debuggerCheck = (debuggerAt: string | null): Finding => {
  if (debuggerAt === null) return ok("debugger", "closed");
  return warning("debugger", `open at ${debuggerAt}: every user of this machine can read the memory of this program, tokens too`, "Take --inspect out of NODE_OPTIONS or the command line.");
};

export type TerminalCheckFacts = { readonly facts: TerminalFacts; readonly environment: Environment; readonly machine: Pick<Machine, "size" | "tmux"> };

export const terminalChecks = ({ facts, environment, machine }: TerminalCheckFacts): readonly Finding[] => [
  terminalCheck(facts, environment),
  facts.colour ? ok("colours", "on") : ok("colours", "off (NO_COLOR, FORCE_COLOR or TERM); every colour has a word beside it"),
  facts.utf8 ? ok("utf-8", "yes") : warning("utf-8", `not by LC_ALL, LC_CTYPE, LANG or TERM: ${localeOf(environment)}; plain ASCII is drawn`, "Set LANG=C.UTF-8 for lines and boxes."),
  sizeCheck(machine.size),
  tmuxCheck(machine.tmux),
  facts.ssh ? ok("ssh", "yes: clipboard and browser of this machine are not yours", "For the short sign-in link: ssh -L PORT:127.0.0.1:PORT HOST") : ok("ssh", "no"),
];

const terminalCheck = ({ plainBecause }: TerminalFacts, environment: Environment): Finding => {
  const term = environment["TERM"];
  if (plainBecause === null && (term === undefined || term === "")) return warning("terminal", "a terminal without TERM", "Set TERM, for example to xterm-256color.");
  if (plainBecause === null) return ok("terminal", `TERM=${term}: the dashboard can be drawn`);
  const found = `${plainBecause}: log lines instead of the dashboard`;
  return plainBecause.startsWith("standard ") ? ok("terminal", found) : warning("terminal", found, "Unset it, or start with --headless on purpose.");
};

const localeOf = (environment: Environment): string =>
  ["LC_ALL", "LC_CTYPE", "LANG", "TERM"].flatMap((name) => (environment[name] ? [`${name}=${environment[name]}`] : [])).join(" ") || "none is set";

const sizeCheck = (size: Machine["size"]): Finding => {
  if (size === null) return ok("size", "no terminal to measure");
  const found = `${size.columns}x${size.rows}`;
  return size.columns < 30 || size.rows < 3 ? warning("size", `${found}, and the dashboard wants 30x3 or more`, "Make the pane larger.") : ok("size", found);
};

const tmuxCheck = (tmux: TmuxFacts | null): Finding => {
  if (tmux === null) return ok("tmux", "not inside tmux");
  const { version, setClipboard, passthrough } = tmux;
  if (version === null) return warning("tmux", "TMUX is set, but tmux does not answer", "Copying falls back to the terminal's own way (OSC 52).");
  const found = `${version}, set-clipboard ${setClipboard ?? "unknown"}, allow-passthrough ${passthrough ?? "unknown"}`;
  if (!forwardsClipboard(version)) return warning("tmux", found, "Copied text stays in tmux before 3.2: prefix ] pastes it there.");
  if (setClipboard === "off") return warning("tmux", found, "Copied text stays in tmux: tmux set -s set-clipboard external");
  return ok("tmux", found);
};

// `load-buffer -w`, which forwards the text to the outer terminal, came with tmux 3.2.
const forwardsClipboard = (version: string): boolean => {
  const [, major = "0", minor = "0"] = /(\d{1,6})\.(\d{1,6})/.exec(version) ?? [];
  return !/\d/.test(version) || Number(major) > 3 || (Number(major) === 3 && Number(minor) >= 2);
};

export type DesktopFacts = {
  readonly facts: TerminalFacts;
  readonly environment: Environment;
  readonly platform: NodeJS.Platform;
  readonly isTerminal: boolean;
  readonly hasProgram: Machine["hasProgram"];
};

/** Clipboard and browser: what would be used, in the order in which the program tries. */
export const desktopChecks = async (desktop: DesktopFacts): Promise<readonly Finding[]> => [await clipboardCheck(desktop), browserCheck(desktop)];

const clipboardCheck = async ({ facts, environment: env, platform, isTerminal, hasProgram }: DesktopFacts): Promise<Finding> => {
  if (facts.tmux && (await hasProgram("tmux"))) return ok("clipboard", "tmux load-buffer -w, then the terminal (OSC 52)");
  if (!facts.ssh) {
    for (const [command] of clipboardTools({ env, platform })) if (await hasProgram(command)) return ok("clipboard", command);
    if (facts.display) return ok("clipboard", "clipboardy, the library that comes with the program");
  }
  if (isTerminal) return ok("clipboard", "the terminal (OSC 52), which does not say whether it took the text", "If a paste is empty: u in the sign-in writes the link to a file.");
  return warning("clipboard", "there is none here", "Copy the printed link by hand.");
};

const browserCheck = ({ environment, platform }: DesktopFacts): Finding => {
  const reason = whyNoBrowser(environment, platform);
  if (reason !== null) return ok("browser", reason.replace("the link above", "the printed link"));
  return ok("browser", "the desktop's own opener");
};

/** No release is older. */
const firstRelease = Date.UTC(2026, 0, 1);
/** Network file systems stamp with the server's clock. */
const clockToleranceMs = 60_000;

const clockAdvice = "Set the clock of this machine (NTP): a wrong one breaks TLS and token expiry.";

/** Is the wall clock plausible? No server is asked: the time cannot be earlier than this program and the files it has written. */
export const clockCheck = ({ now, installedAt, newestFileAt }: { readonly now: number; readonly installedAt: number; readonly newestFileAt: number }): Finding => {
  const shown = new Date(now).toISOString().slice(0, 19).replace("T", " ");
  if (now < firstRelease) return problem("clock", `${shown} UTC is before this program was made`, clockAdvice);
  if (now < newestFileAt - clockToleranceMs) return warning("clock", `${shown} UTC is ${span(newestFileAt - now)} before the newest file of the data folder`, clockAdvice);
  if (now < installedAt - clockToleranceMs) return warning("clock", `${shown} UTC is ${span(installedAt - now)} before this program was installed`, clockAdvice);
  return ok("clock", `${shown} UTC, after every file of ours (no server was asked)`);
};
