// Which front end fits: a screen where both ends can draw, lines everywhere else.
import { readTerminal } from "../tui/edges/terminal.ts";
import type { ParsedArgs, ScreenWish, CliContext } from "./context.ts";

/** The screen to draw on, null where lines are right (also for `--headless` and its alias `--plain`). */
export const screenOf = ({ stdin, stdout, environment, platform }: CliContext, { options, global }: ParsedArgs): ScreenWish | null => {
  const facts = readTerminal({
    stdinIsTty: stdin.isTTY === true,
    stdoutIsTty: stdout.isTTY === true,
    env: environment,
    platform,
    headless: options["headless"] === true || options["plain"] === true,
    ascii: global.ascii,
  });
  return facts.plainBecause === null ? { stdin, stdout, ascii: !facts.utf8 } : null;
};
