// Signals that end a proxy, for whichever command has started one.
import type { EventEmitter } from "node:events";
import type { App } from "../app/app.ts";
import { watchSignals } from "./signals.ts";
import type { Signals } from "./signals.ts";
import type { CliContext } from "./context.ts";

/** From now on signals stop this proxy; `terminalInput` as in `SignalDeps`. */
export const stopOnSignals = (context: CliContext, app: App, terminalInput: EventEmitter | null): Signals =>
  watchSignals({
    process: context.signals,
    terminalInput,
    stop: (reason) => app.commands.stop(reason),
    after: (callback, ms) => void context.clock.setTimeout(callback, ms),
    exit: context.exit,
  });
