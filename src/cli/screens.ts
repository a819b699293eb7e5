// The screens with the edges they need: browser, clipboard, link file, the process itself. Loading this
// file loads Ink and React, so only a command that draws does it.
import { dataDir } from "../storage/paths.ts";
import { createBrowserOpener } from "../tui/edges/browser.ts";
import { createClipboardReader, createCopier } from "../tui/edges/clipboard.ts";
import { createLinkFile } from "../tui/edges/link-file.ts";
import { createLoopDelay, residentMemory, suspendJob } from "../tui/edges/process.ts";
import { runLogin } from "../tui/login/login.tsx";
import { askPortTaken, askTerms } from "../tui/questions.tsx";
import { runDashboard } from "../tui/run.tsx";
import type { CliContext, Screens } from "./context.ts";
import { ownName } from "./own-name.ts";

/** The screens for `context`. */
export const createScreens = (context: CliContext): Screens => {
  const { environment: env, platform, clock, stdout, version, launch } = context;
  const openBrowser = createBrowserOpener({ env, platform, clock });
  const readClipboard = createClipboardReader({ env, clock });
  const copy = createCopier({ env, platform, clock, stdout });
  return {
    askTerms,
    askPortTaken,
    runLogin: ({ dir, ...options }) => runLogin({ ...options, clock, version, edges: { openBrowser, copy, linkFile: createLinkFile({ dir }), readClipboard } }),
    runDashboard(options) {
      const delay = createLoopDelay(clock);
      const program = ownName({ environment: env, launch, dir: options.app.dir, usualDir: dataDir({ platform, env, home: context.home, cwd: context.cwd }) });
      const running = runDashboard({ ...options, clock, copy, suspend: suspendJob, loopDelayMs: delay.read, memory: residentMemory, program });
      return { ...running, finished: running.finished.finally(() => delay.stop()) };
    },
  };
};
