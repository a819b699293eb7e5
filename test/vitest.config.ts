import { defineConfig } from "vitest/config";
import { CountReporter, LongestFirst } from "./helpers/vitest.ts";

const root = new URL("..", import.meta.url).pathname;

// React's production build, which the program runs with, has no `jsxDEV`.
const oxc = { jsx: { runtime: "automatic", development: false } } as const;

/** One file of each kind: what people see, what is written to files, the program as a whole. `readme.test.ts` sees that each is there. */
export const elsewhere = [
  "state/activity", "state/refreshes", "log/format", "cli/commands/status", "doctor/report", "api/status", "storage/import",
  "tui/run", "tui/panes/requests", "tui/panes/events", "tui/screens/dashboard", "tui/screens/overlay", "e2e/main-story",
].map((name) => `test/${name}.test.ts`);

/** Far from UTC and from English, with a dotless i; the programs that a test starts get the same (cleanEnvironment). */
const otherPlace = { TZ: "Pacific/Chatham", TEST_TZ: "Pacific/Chatham", LC_ALL: "tr_TR.UTF-8", TEST_LANG: "tr_TR.UTF-8", HOME: "/nowhere" };

// `unit` mirrors src/ and stays fast; `e2e` starts real processes, terminals and browsers; `elsewhere` runs some files of
// both in another time zone and locale and without a home.
export default defineConfig({
  test: {
    root,
    // Left to itself vitest keeps one of two cores free, and most tests here wait rather than compute.
    maxWorkers: 2,
    globalSetup: ["test/helpers/global-setup.ts"],
    sequence: { sequencer: LongestFirst },
    reporters: ["default", new CountReporter()],
    projects: [
      {
        oxc,
        test: {
          name: "unit",
          root,
          include: ["test/**/*.test.{ts,tsx}"],
          exclude: ["test/e2e/**", "node_modules/**"],
          env: { NODE_ENV: "production" },
          testTimeout: 15_000,
          // A process for each of two hundred files is a third of the time. Modules are loaded anew for each file,
          // and no file may leave anything else behind: no variable, listener or timer of the process.
          isolate: false,
        },
      },
      {
        oxc,
        test: {
          name: "elsewhere",
          root,
          include: elsewhere,
          env: { NODE_ENV: "production", ...otherPlace },
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "e2e",
          root,
          include: ["test/e2e/**/*.test.{ts,tsx}"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // Real terminals and browsers on a machine that others use too. Only where a failure stops everybody,
          // and never silently: the reporter names what needed it. On a developer's machine there is none.
          retry: process.env.CI === "true" ? 1 : 0,
        },
      },
    ],
  },
});
