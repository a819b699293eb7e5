// Notices within two seconds that another process signed in, refreshed or removed an account. The sweep
// would find it too, but a person who has just typed `login` in the next pane is looking at this one.
import type { Timer } from "../lib/clock.ts";
import type { Core } from "./core.ts";

/** One `stat` each time. */
const lookMs = 2000;

export const followStore = ({ accounts, reload, clock }: Pick<Core, "accounts" | "reload" | "clock">): { start(): void; stop(): void } => {
  let timer: Timer | null = null;
  let isReading = false;
  const look = async (): Promise<void> => {
    if (isReading || !accounts.changed()) return;
    isReading = true;
    // What is wrong with the store is told by the sweep, which reads it too.
    await reload().catch(() => {});
    isReading = false;
  };
  return {
    start() {
      timer ??= clock.setInterval(() => void look(), lookMs);
    },
    stop() {
      timer?.cancel();
    },
  };
};
