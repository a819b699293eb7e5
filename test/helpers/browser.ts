// A real Chromium for what only a browser does: origins, cookies, policies. Debian's own, driven by
// playwright-core; a machine without it says so in the test's name.
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";
import type { Browser } from "playwright-core";

const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"];

/** The browser's file, null on a machine without one. */
export const browserPath: string | null = places.find((path) => existsSync(path)) ?? null;

/** Starts it without a window, with further command-line `flags`. As root the sandbox cannot work. */
export const openBrowser = (flags: readonly string[] = []): Promise<Browser> =>
  chromium.launch({ executablePath: browserPath ?? "chromium", args: [...flags, ...(process.getuid?.() === 0 ? ["--no-sandbox"] : [])] });
