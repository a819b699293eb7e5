import { describe, expect, it } from "vitest";
import type { RequestRow } from "../../src/state/state.ts";
import { clientAddress, curlCommand, setupLines } from "../../src/tui/setup-lines.ts";
import { about, afternoon, stateOf } from "./scene.ts";

describe("the lines for Claude Code", () => {
  const live = stateOf();
  const at = (host: string, port = 4001) => ({ about, live: { server: { ...live.server, host, port } } });

  it.each([
    ["127.0.0.1", "http://127.0.0.1:4001"],
    ["0.0.0.0", "http://127.0.0.1:4001"],
    ["::", "http://127.0.0.1:4001"],
    ["::1", "http://[::1]:4001"],
    ["box.lan", "http://box.lan:4001"],
  ])("a proxy on %s is reached at %s", (host, url) => expect(clientAddress(at(host))).toBe(url));

  it("ask the program for the key instead of showing it", () => {
    expect(setupLines({ live, about })).toEqual(["export ANTHROPIC_BASE_URL=http://127.0.0.1:4001", 'export ANTHROPIC_AUTH_TOKEN="$(claude-oauth-proxy print-key)"', "claude"]);
  });

  it("leave the client its own login in pass-through mode (N11)", () => {
    const through = stateOf([], "pass-through");
    expect(setupLines({ live: through, about: { ...about, keyNeeded: false } })).toEqual(["export ANTHROPIC_BASE_URL=http://127.0.0.1:4001", "claude"]);
    expect(setupLines({ live: through, about })[1]).toBe('export ANTHROPIC_CUSTOM_HEADERS="x-claude-oauth-proxy-key: $(claude-oauth-proxy print-key)"');
  });
});

const throughCurl = (keyNeeded: boolean): string =>
  curlCommand(stateOf(afternoon).requests.rows[0] as RequestRow, { live: stateOf([], "pass-through"), about: { ...about, keyNeeded } });

describe("curl", () => {
  const row = stateOf(afternoon).requests.rows[0] as RequestRow;
  const parts = { live: stateOf(), about };

  it("repeats a request of the same model, without any secret (N7)", () => {
    expect(curlCommand(row, parts)).toBe(
      [
        "curl -sS -X POST http://127.0.0.1:4001/v1/messages",
        '-H "authorization: Bearer $(claude-oauth-proxy print-key)"',
        "-H 'anthropic-version: 2023-06-01'",
        "-H 'content-type: application/json'",
        `-d '{"model":"claude-sonnet-4-5","max_tokens":16,"messages":[{"role":"user","content":"ping"}]}'`,
      ].join(" \\\n  "),
    );
  });

  it("sends no body with GET, and names a file for what is not a message", () => {
    expect(curlCommand({ ...row, method: "GET", path: "/v1/models" }, parts)).not.toMatch(/-d|content-type/);
    expect(curlCommand({ ...row, path: "/v1/files" }, parts)).toContain("--data-binary @request.json");
  });

  it("counts tokens without a limit on them", () => {
    expect(curlCommand({ ...row, path: "/v1/messages/count_tokens" }, parts)).not.toContain("max_tokens");
  });

  it("shows the client's own login and, where one is asked for, the local key in pass-through mode", () => {
    expect(throughCurl(true)).toContain('-H "authorization: Bearer $ANTHROPIC_AUTH_TOKEN"');
    expect(throughCurl(true)).toContain('-H "x-claude-oauth-proxy-key: $(claude-oauth-proxy print-key)"');
    expect(throughCurl(false)).not.toContain("print-key");
  });

  it("lets nothing of the request become a command", () => {
    expect(curlCommand({ ...row, path: "/v1/$(touch x)`id`" }, parts)).toContain("'http://127.0.0.1:4001/v1/$(touch x)`id`'");
  });
});
