// Clipboard and browser: what would be used, in the order in which it is tried, without using it.
import { whyNoBrowser } from "../tui/edges/browser.ts";
import { clipboardTools } from "../tui/edges/copy.ts";
import type { TerminalFacts } from "../tui/edges/terminal.ts";
import type { Environment } from "../cli/context.ts";
import { ok, warning } from "./finding.ts";
import type { Finding } from "./finding.ts";
import type { Machine } from "./machine.ts";

export type Desktop = {
  readonly facts: TerminalFacts;
  readonly environment: Environment;
  readonly platform: NodeJS.Platform;
  readonly isTerminal: boolean;
  readonly hasProgram: Machine["hasProgram"];
};

export const desktopChecks = async (desktop: Desktop): Promise<readonly Finding[]> => [await clipboardCheck(desktop), browserCheck(desktop)];

const clipboardCheck = async ({ facts, environment: env, platform, isTerminal, hasProgram }: Desktop): Promise<Finding> => {
  if (facts.tmux && (await hasProgram("tmux"))) return ok("clipboard", "tmux load-buffer -w, then the terminal (OSC 52)");
  if (!facts.ssh) {
    for (const [command] of clipboardTools({ env, platform })) if (await hasProgram(command)) return ok("clipboard", command);
    if (facts.display) return ok("clipboard", "clipboardy, the library that comes with the program");
  }
  if (isTerminal) return ok("clipboard", "the terminal (OSC 52), which does not say whether it took the text", "If a paste is empty: u in the sign-in writes the link to a file.");
  return warning("clipboard", "there is none here", "Copy the printed link by hand.");
};

const browserCheck = ({ environment, platform }: Desktop): Finding => {
  const reason = whyNoBrowser(environment, platform);
  if (reason !== null) return ok("browser", reason.replace("the link above", "the printed link"));
  return ok("browser", "the desktop's own opener");
};
