// Where no dashboard can be drawn there are log lines without a single control byte; NO_COLOR takes the colours
// out of the dashboard.
import { describe, expect, it } from "vitest";
import { openDashboard, prepareSigned } from "../helpers/dashboard.ts";
import { launcher } from "../helpers/program.ts";
import type { Environment } from "../helpers/program.ts";
import { openTerminal } from "../helpers/terminal.ts";

// oxlint-disable-next-line no-control-regex -- looking for them is the point
const control = /[\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f-\u009f]/;
// oxlint-disable-next-line no-control-regex -- the colours to look for
const colour = /\u001b\[[\d;:]*m/;

const cases: readonly (readonly [name: string, command: string, env: Environment])[] = [
  ["standard input is a pipe", `sleep 600 | node ${launcher}`, {}],
  ["standard output is a pipe", `node ${launcher} | cat`, {}],
  ["CI is set", `node ${launcher}`, { CI: "true" }],
  ["TERM is dumb", `node ${launcher}`, { TERM: "dumb" }],
  ["--plain is given", `node ${launcher} --plain`, {}],
];

describe("log lines", () => {
  it.each(cases)("come without control bytes when %s (U9)", async (_, command, env) => {
    const proxy = await prepareSigned();
    const terminal = openTerminal({ command: "sh", args: ["-c", command], cols: 200, home: proxy.home, env: { ...proxy.env, ...env } });
    await terminal.waitFor(/listening on http:/, { within: 20_000 });
    proxy.upstream.script({ match: { path: "/v1/messages" }, fault: { kind: "status", status: 400, message: "\u001b[2J\u001b]52;c;aGVsbG8=\u0007 \u009b31m" } });
    expect((await proxy.ask({ headers: { "user-agent": "evil/\u009b31m" } })).status).toBe(400);
    await terminal.waitFor(/400/);
    expect(terminal.bytes()).not.toMatch(control);
    expect(terminal.rawMode()).toBe(false);
    await terminal.close();
  });
});

describe("a dashboard", () => {
  it("has no colours with NO_COLOR, in no pane and no detail, and loses no word by it (U9)", async () => {
    const proxy = await prepareSigned();
    const terminal = await openDashboard(proxy, { env: { NO_COLOR: "1" }, cols: 120, rows: 30 });
    expect((await proxy.ask()).status).toBe(200);
    await terminal.waitFor(/^> .* 200 .*POST/m);
    for (const [keys, expected] of [["?", "this help"], ["3", /> ada/], ["4", "WHAT HAPPENED"], ["1", "[1 requests]"]] as const) {
      terminal.write(keys);
      await terminal.waitFor(expected);
    }
    expect(terminal.bytes()).not.toMatch(colour);
  });

  it("has colours without it", async () => {
    const terminal = await openDashboard(await prepareSigned());
    expect(terminal.bytes()).toMatch(colour);
  });
});
