import { defineConfig } from "vitest/config";
import { CountReporter } from "./helpers/count-reporter.ts";
import { LongestFirst } from "./helpers/longest-first.ts";

// Two projects: `unit` mirrors src/ and stays fast; `e2e` starts real processes, terminals and browsers.
export default defineConfig({
  test: {
    root: new URL("..", import.meta.url).pathname,
    // Left to itself vitest keeps one of two cores free, and most tests here wait rather than compute.
    maxWorkers: 2,
    globalSetup: ["test/helpers/compiled-code.ts"],
    sequence: { sequencer: LongestFirst },
    reporters: ["default", new CountReporter()],
    projects: [
      {
        // React's production build, which the program runs with, has no `jsxDEV`.
        oxc: { jsx: { runtime: "automatic", development: false } },
        test: {
          name: "unit",
          root: new URL("..", import.meta.url).pathname,
          include: ["test/**/*.test.{ts,tsx}"],
          exclude: ["test/e2e/**", "node_modules/**"],
          env: { NODE_ENV: "production", TZ: "UTC" },
          testTimeout: 15_000,
          // A process for each of two hundred files is a third of the time. Modules are loaded anew for each file,
          // and no file may leave anything else behind: no variable, listener or timer of the process.
          isolate: false,
        },
      },
      {
        test: {
          name: "e2e",
          root: new URL("..", import.meta.url).pathname,
          include: ["test/e2e/**/*.test.{ts,tsx}"],
          env: { TZ: "UTC" },
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
