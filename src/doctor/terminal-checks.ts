// Node and the terminal: can the dashboard be drawn, in which signs, how large, inside what. Pure.
import type { TerminalFacts } from "../tui/edges/terminal.ts";
import type { Environment } from "../cli/context.ts";
import { ok, problem, warning } from "./finding.ts";
import type { Finding } from "./finding.ts";
import type { Machine, TmuxFacts } from "./machine.ts";

/** `engines` of the package. */
const oldestNode = [22, 19] as const;

export const nodeCheck = (version: string): Finding => {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const enough = major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1]);
  return enough ? ok("node", version) : problem("node", `${version}, and ${oldestNode.join(".")} is needed`, "Install a newer Node: https://nodejs.org");
};

export type TerminalWish = { readonly facts: TerminalFacts; readonly environment: Environment; readonly machine: Pick<Machine, "size" | "tmux"> };

export const terminalChecks = ({ facts, environment, machine }: TerminalWish): readonly Finding[] => [
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
  // `load-buffer -w` hands the text on to the outer terminal; it came with tmux 3.2.
  if (!handsOn(version)) return warning("tmux", found, "Copied text stays in tmux before 3.2: prefix ] pastes it there.");
  if (setClipboard === "off") return warning("tmux", found, "Copied text stays in tmux: tmux set -s set-clipboard external");
  return ok("tmux", found);
};

const handsOn = (version: string): boolean => {
  const [, major = "0", minor = "0"] = /(\d+)\.(\d+)/.exec(version) ?? [];
  return !/\d/.test(version) || Number(major) > 3 || (Number(major) === 3 && Number(minor) >= 2);
};
