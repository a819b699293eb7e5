import { describe, expect, it } from "vitest";
import { fit, joinFitting, spread, widthOfAll } from "../../../src/tui/format/compose.ts";
import { curlCommand, shellWord } from "../../../src/tui/format/curl.ts";
import { clientAddress, setupLines } from "../../../src/tui/format/setup-lines.ts";
import { footerLine } from "../../../src/tui/format/footer.ts";
import { wrap } from "../../../src/tui/format/wrap.ts";
import { glyphsFor, lineOf, segment } from "../../../src/tui/theme.ts";
import type { RequestRow } from "../../../src/state/state.ts";
import { about, afternoon, noon, pictureOf, textOf, viewAt } from "../scene.ts";

const glyphs = glyphsFor(false);
const two = [segment("left"), segment("!", "error")];

describe("putting a line together", () => {
  it("spreads to both edges, cuts the left part first and drops the right one last", () => {
    expect(textOf(spread(two, [segment("right")], 14, glyphs))).toBe("left!    right");
    expect(textOf(spread([segment("a rather long text")], [segment("right")], 19, glyphs))).toBe("a rather lon… right");
    expect(textOf(spread([segment("a rather long text")], [segment("right")], 12, glyphs))).toBe("a rather lo…");
  });

  it("joins as many groups as fit, in their order", () => {
    const groups = [[segment("one")], [], [segment("")], [segment("three four five")], [segment("six")]];
    expect(textOf(lineOf(...joinFitting(groups, 10)))).toBe("one  six");
  });

  it("fills a selected line up to the edge, and no other", () => {
    expect(widthOfAll(fit({ segments: two, selected: true }, 9, glyphs).segments)).toBe(9);
    expect(textOf(fit(lineOf(...two), 9, glyphs))).toBe("left!");
    expect(textOf(fit(lineOf(...two), 4, glyphs))).toBe("lef…");
    expect(textOf(fit(lineOf(...two), 5, glyphs))).toBe("left!");
  });

  it("wraps at blanks, and words that are too long anywhere", () => {
    expect(wrap("one two three", 7)).toEqual(["one two", "three"]);
    expect(wrap("abcdefghij kl", 4)).toEqual(["abcd", "efgh", "ij", "kl"]);
    expect(wrap("日本語 日本語", 6)).toEqual(["日本語", "日本語"]);
    expect(wrap("", 5)).toEqual([""]);
  });
});

describe("the lines for Claude Code", () => {
  const live = pictureOf();
  const at = (host: string, port = 4001) => ({ about, live: { server: { ...live.server, host, port } } });

  it.each([["127.0.0.1", "http://127.0.0.1:4001"], ["0.0.0.0", "http://127.0.0.1:4001"], ["::", "http://127.0.0.1:4001"], ["::1", "http://[::1]:4001"], ["box.lan", "http://box.lan:4001"]])("a proxy on %s is reached at %s", (host, url) => expect(clientAddress(at(host))).toBe(url));

  it("ask the program for the key instead of showing it", () => {
    expect(setupLines({ live, about })).toEqual(["export ANTHROPIC_BASE_URL=http://127.0.0.1:4001", 'export ANTHROPIC_AUTH_TOKEN="$(claude-oauth-proxy print-key)"', "claude"]);
  });

  it("N11 leave the client its own login in pass-through mode", () => {
    const through = pictureOf([], "pass-through");
    expect(setupLines({ live: through, about: { ...about, keyNeeded: false } })).toEqual(["export ANTHROPIC_BASE_URL=http://127.0.0.1:4001", "claude"]);
    expect(setupLines({ live: through, about })[1]).toBe('export ANTHROPIC_CUSTOM_HEADERS="x-claude-oauth-proxy-key: $(claude-oauth-proxy print-key)"');
  });
});

describe("curl", () => {
  const row = pictureOf(afternoon).requests.rows[0] as RequestRow;
  const parts = { live: pictureOf(), about };

  it("N7 repeats a request of the same model, without any secret", () => {
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

  it("lets nothing of the request become a command", () => {
    expect(shellWord("a'; rm -rf ~; '")).toBe(String.raw`'a'\''; rm -rf ~; '\'''`);
    expect(curlCommand({ ...row, path: "/v1/$(touch x)`id`" }, parts)).toContain("'http://127.0.0.1:4001/v1/$(touch x)`id`'");
  });
});

const footer = (ui: object, columns = 120): string => textOf(footerLine(viewAt({ columns, ui })));

describe("the footer", () => {
  it("names what the list shows", () => {
    expect(footer({})).toMatch(/^ FOLLOW 6 /);
    expect(footer({ follow: false, selected: { requests: "r5", sessions: null, accounts: null, events: null } })).toMatch(/^ ROW 2\/6 /);
    expect(footer({ errorsOnly: true })).toMatch(/^ ERRORS 1 of 6 /);
    expect(footer({ filter: "opus" })).toMatch(/^ \/opus 2 of 6 /);
    expect(footer({ pane: "accounts" })).toMatch(/^ ACCOUNTS 1 /);
  });

  it("counts what arrives while the list is paused", () => {
    expect(footer({ frozen: pictureOf(afternoon.slice(0, 6)) })).toMatch(/^ PAUSED \+5 new .*p resume/);
  });

  it("asks before quitting and before freezing, and takes the filter", () => {
    expect(footer({ quitUntil: noon + 1 })).toContain("2 open. q again: stop, up to 10s to finish. Ctrl+C: now. Esc: stay.");
    expect(footer({ freezeUntil: noon + 1 })).toContain("This would freeze the proxy too. Detach tmux instead (prefix d), or press Ctrl+Z again.");
    expect(footer({ prompt: { kind: "filter" }, filter: "429" })).toMatch(/^ \/429_ .*Enter keep {2}Esc clear$/);
  });
});
