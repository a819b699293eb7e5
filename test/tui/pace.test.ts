import { describe, expect, it } from "vitest";
import { restMs } from "../../src/tui/pace.ts";
import { initialUi } from "../../src/tui/ui-state.ts";
import { fact } from "../state/facts.ts";
import { afternoon, noon, pictureOf } from "./scene.ts";

const minute = 60_000;

const expiring = (ms: number) => restMs(pictureOf([fact("token.refreshed", { newExpiresAt: noon + ms })]), initialUi, noon);

describe("how long a frame stays true", () => {
  it("a minute while nothing is open, a second while something counts", () => {
    expect(restMs(pictureOf(), initialUi, noon)).toBe(minute);
    expect(restMs(pictureOf(afternoon), initialUi, noon)).toBe(1000);
    expect(restMs(pictureOf([fact("attempt.failed")]), initialUi, noon)).toBe(1000);
    expect(restMs(pictureOf([fact("server.stopping")]), initialUi, noon)).toBe(1000);
    expect(restMs(pictureOf([fact("login.started"), fact("login.waiting")]), initialUi, noon)).toBe(1000);
  });

  it("a second from just before the token's last ten minutes", () => {
    expect([expiring(12 * minute), expiring(10 * minute), expiring(-minute)]).toEqual([minute, 1000, minute]);
  });

  it("until a question or a message ends", () => {
    expect(restMs(pictureOf(), { ...initialUi, quitUntil: noon + 3000 }, noon)).toBe(3000);
    expect(restMs(pictureOf(), { ...initialUi, message: { text: "m", tone: "good", until: noon - 5 } }, noon)).toBe(0);
  });
});
