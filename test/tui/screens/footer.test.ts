import { describe, expect, it } from "vitest";
import { footerLine } from "../../../src/tui/screens/footer.ts";
import { afternoon, noon, stateOf, textOf, viewAt } from "../scene.ts";

const footer = (ui: object, columns = 120): string => textOf(footerLine(viewAt({ columns, ui })));

describe("the footer", () => {
  it("names what the list shows", () => {
    expect(footer({})).toMatch(/^ FOLLOW 6 /);
    expect(footer({ follow: false, selected: { requests: "r5", sessions: null, accounts: null, events: null } })).toMatch(/^ ROW 2\/6 /);
    expect(footer({ errorsOnly: true })).toMatch(/^ ERRORS 1 of 6 /);
    expect(footer({ filter: "opus" })).toMatch(/^ \/opus 2 of 6 /);
    expect(footer({ pane: "accounts" })).toMatch(/^ ACCOUNTS 1 /);
  });

  it("keeps the keys and leaves the list's state out where there is no room for both", () => {
    expect(footer({}, 30).trimEnd()).toBe("? help  q quit       FOLLOW 6");
    expect(footer({ pane: "accounts" }, 24).trimEnd()).toBe("? help  q quit");
  });

  it("counts what arrives while the list is paused", () => {
    expect(footer({ paused: stateOf(afternoon.slice(0, 6)) })).toMatch(/^ PAUSED \+5 new .*p resume/);
  });

  it("asks before quitting and before freezing, and takes the filter", () => {
    expect(footer({ quitUntil: noon + 1 })).toContain("2 open. q again: stop, up to 10s to finish. Ctrl+C: now. Esc: stay.");
    expect(footer({ suspendUntil: noon + 1 })).toContain("This would freeze the proxy too. Detach tmux instead (prefix d), or press Ctrl+Z again.");
    expect(footer({ prompt: { kind: "filter" }, filter: "429" })).toMatch(/^ \/429_ .*Enter keep {2}Esc clear$/);
  });
});
