// Texts that try to steer the terminal, from the upstream, from the client and from the credentials file, in
// the built program: none of it arrives as anything but text, and every column stays where it is.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openDashboard, prepareSigned } from "../helpers/dashboard.ts";
import type { Signed } from "../helpers/dashboard.ts";
import type { Terminal } from "../helpers/terminal.ts";
import { hostileTexts } from "../tui/hostile.ts";

const attack = hostileTexts.filter((text) => !text.includes("\ud800") && text.length < 1000).join(" ");

/** What no dashboard ever writes: the terminal's clipboard, its links, its strings, C1, bidirectional signs, invisible ones. */
// oxlint-disable-next-line no-control-regex -- looking for them is the point
const steering = /\u001b\](?!0;(?:! )?claude-oauth-proxy :\d+\u0007)|\u001b[P_^X]|\u001b\[[02]?J|[\u0080-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]|\u001b\[3[15]mred/u;

const latin1 = "\u009b31mred \u009d52;c;aGVsbG8=\u009c \u0090q\u009c";

/** One refusal whose body and headers attack, asked for by a client that attacks too. */
const attackedBy = async (proxy: Signed, fault: Parameters<Signed["upstream"]["script"]>[0]["fault"]): Promise<number> => {
  proxy.upstream.script({ match: { path: "/v1/messages" }, fault });
  const headers = { "user-agent": `evil/${latin1}`, "x-claude-code-session-id": `s-${latin1}` };
  return (await proxy.ask({ headers, path: "/v1/messages?x=%1b%5b2J%9b31m%E2%80%AE" })).status;
};

const around = (list: RegExp) => [["\r", "Esc back"], ["\u001b", list]] as const;

/** Every pane, and the detail of what is selected there. */
const lookEverywhere = async (terminal: Terminal): Promise<void> => {
  const [sessions, accounts, events, requests] = [/SESSIONS \d/, /ACCOUNTS \d/, /EVENTS \d/, /FOLLOW|ROW/];
  for (const [keys, expected] of [...around(requests), ["2", sessions], ...around(sessions), ["3", accounts], ...around(accounts), ["4", events], ...around(events), ["1", requests]] as const) {
    terminal.write(keys);
    await terminal.waitFor(expected);
  }
};

const cells = (terminal: Terminal, y: number): readonly string[] => Array.from({ length: terminal.columns() }, (_, x) => terminal.cell(x, y).chars);

describe("hostile texts", () => {
  it("stay text: from error sentences, header bytes, clients and labels (U1, U2, U3, U4, U5)", async () => {
    const proxy = await prepareSigned();
    const file = join(proxy.dir, "accounts.json");
    writeFileSync(file, readFileSync(file, "utf8").replace('"label":"ada"', `"label":${JSON.stringify(`ada ${attack}`)}`));
    const terminal = await openDashboard(proxy, { cols: 120, rows: 30 });
    const requestId = [["request-id", `req_${latin1}`], ["content-type", "application/json"]] as const;
    const raw = Buffer.concat([Buffer.from([0x9b, 0x33, 0x31, 0x6d]), Buffer.from(attack)]);
    expect(await attackedBy(proxy, { kind: "status", status: 400, message: attack, headers: requestId })).toBe(400);
    expect(await attackedBy(proxy, { kind: "status", status: 500, body: raw, headers: requestId })).toBe(500);
    expect(await attackedBy(proxy, { kind: "json", set: { model: `claude-${attack}`, stop_reason: attack, id: attack } })).toBe(200);
    expect(await attackedBy(proxy, { kind: "json", set: { model: "m".repeat(10_240) } })).toBe(200);
    expect(await attackedBy(proxy, [{ kind: "json", set: { model: "👨‍👩‍👧‍👦 family" } }, { kind: "headers", headers: [["retry-after", latin1], ["x-should-retry", latin1]] }])).toBe(200);
    await terminal.waitFor("FOLLOW 5");
    await terminal.waitFor("claude-·[2J·[H");
    await lookEverywhere(terminal);
    for (const row of ["ROW 2", "ROW 3", "ROW 4", "ROW 5"]) {
      terminal.write("j");
      await terminal.waitFor(row);
    }
    await lookEverywhere(terminal);
    expect(terminal.bytes()).not.toMatch(steering);
    expect(terminal.everything().split("\n")).toHaveLength(30);
    expect(terminal.screen()).toContain("[1 requests]");
  });

  it("wide and long names move no column (U7)", async () => {
    const proxy = await prepareSigned();
    const terminal = await openDashboard(proxy, { cols: 120, rows: 30 });
    const models = ["claude-opus-4-8", "日本語のモデル日本語のモデル日本語のモデル", "m".repeat(10_240), "ｶﾞﾊﾞ", "a\u0301\u0301\u0301\u0301\u0301b", "x\u202egnp.exe", "\u001b[31mred\u001b[0m"];
    for (const model of models) {
      proxy.upstream.script({ match: { path: "/v1/messages" }, fault: { kind: "json", set: { model } } });
      expect((await proxy.ask()).status).toBe(200);
    }
    await terminal.waitFor(`FOLLOW ${models.length}`);
    await terminal.waitFor(/日本語.*\n[^]*mmmmm…[^]*\n.*x·gnp|x·gnp[^]*mmmmm…[^]*日本語/);
    const heads = terminal.rows().findIndex((row) => /TIME +ST/.test(row));
    const head = terminal.rows()[heads] ?? "";
    for (let row = heads + 1; row <= heads + models.length; row += 1) {
      const line = cells(terminal, row);
      const label = terminal.rows()[row] ?? "";
      expect(line.slice(head.indexOf("ST"), head.indexOf("ST") + 3).join(""), label).toBe("200");
      for (const column of ["TTFB", "TOTAL"]) expect(line[head.indexOf(column) + column.length - 1], label).toBe("s");
      for (const column of ["IN", "OUT"]) expect(line[head.lastIndexOf(column) + column.length - 1], label).toMatch(/\d/);
      expect(line.slice(head.indexOf("CLIENT") - 1, head.indexOf("CLIENT") + 4).join(""), label).toBe(" node");
    }
    expect(terminal.bytes()).not.toMatch(steering);
  });
});
