import { describe, expect, it } from "vitest";
import { bindingFor, bindings, keyName, placeOf } from "../../src/tui/keymap.ts";
import type { KeyReport, Place } from "../../src/tui/keymap.ts";
import { helpLines } from "../../src/tui/screens/overlay.ts";
import { textOf, viewAt } from "./scene.ts";

const none: KeyReport = { ctrl: false, meta: false, shift: false, upArrow: false, downArrow: false, pageUp: false, pageDown: false, home: false, end: false, return: false, escape: false, tab: false };
const nameFor = (key: string, place: Place): string | null => bindingFor(key, place)?.name ?? null;
const places: readonly Place[] = ["requests", "sessions", "accounts", "events", "request", "session", "account", "event", "help"];

describe("the key table", () => {
  it("is the text of the help: every key with what it does", () => {
    const text = helpLines(viewAt(), 120).map(textOf).join("\n");
    for (const { keys, help } of bindings.filter((binding) => binding.help !== "")) {
      expect(text).toContain(keys.join(" "));
      expect(text).toContain(help);
    }
  });

  it("has one meaning for a key in each place", () => {
    for (const place of places) {
      const keys = bindings.filter((binding) => binding.places?.includes(place) ?? true).flatMap((binding) => binding.keys);
      expect(keys.filter((key, index) => keys.indexOf(key) !== index)).toEqual([]);
    }
  });

  it("needs no Alt and no function key, and quits and helps everywhere", () => {
    expect(bindings.flatMap(({ keys }) => keys).filter((key) => /Alt|Meta|F\d/.test(key))).toEqual([]);
    for (const place of places) expect([nameFor("q", place), nameFor("Ctrl+C", place), nameFor("?", place), nameFor("Esc", place)]).toEqual(["quit", "interrupt", "help", "back"]);
  });

  it("does nothing for a key that is not in it", () => expect([nameFor("z", "requests"), nameFor("Q", "requests"), nameFor("d", "requests")]).toEqual([null, null, null]));

  it("x clears the list, exports the open request, and removes an account only in the accounts pane", () => {
    expect((["requests", "request", "accounts", "sessions"] as const).map((place) => nameFor("x", place))).toEqual(["clear", "curl", "remove", null]);
  });
});

describe("the name of a key", () => {
  it.each([
    ["j", {}, "j"],
    [" ", {}, "Space"],
    ["c", { ctrl: true }, "Ctrl+C"],
    ["", { downArrow: true }, "Down"],
    ["", { tab: true }, "Tab"],
    ["", { tab: true, shift: true }, "Shift+Tab"],
    ["\r", { return: true }, "Enter"],
    ["", { escape: true, meta: true }, "Esc"],
    ["G", { shift: true }, "G"],
    ["q", { meta: true }, null],
    ["abc#def\r", {}, null],
    ["", {}, null],
  ] as const)("%j %j is %s", (input, key, name) => expect(keyName(input, { ...none, ...key })).toBe(name));
});

it("keys go to the overlay, else to the pane", () => {
  expect(placeOf({ overlay: null, pane: "events" })).toBe("events");
  expect(placeOf({ overlay: { kind: "request", id: "r1" }, pane: "events" })).toBe("request");
});
