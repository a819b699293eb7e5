#!/usr/bin/env node
// Launcher: nothing is imported before the Node version, NODE_ENV and colours are settled
// (static imports are hoisted, and React picks its build at import time).
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(
    `claude-oauth-proxy needs Node 22.19 or newer, and this is ${process.versions.node}. Install a newer Node (https://nodejs.org) and run it again.\n`,
  );
  process.exit(1);
}
process.env.NODE_ENV ??= "production";
// chalk ignores NO_COLOR; an explicit FORCE_COLOR wins, as in Node itself.
if (process.env.NO_COLOR && process.env.FORCE_COLOR === undefined) process.env.FORCE_COLOR = "0";
const { main } = await import("../dist/cli/main.js");
await main(process.argv.slice(2));
