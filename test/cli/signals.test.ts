// Signals drain first, a second one does not wait, a closed terminal hangs up.
import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import { exitCodes, watchSignals } from "../../src/cli/signals.ts";
import { createFakeClock } from "../helpers/fake-clock.ts";

const set = () => {
  const process = new EventEmitter();
  const input = new EventEmitter();
  const clock = createFakeClock();
  const stops: string[] = [];
  const exits: number[] = [];
  const signals = watchSignals({
    process,
    terminalInput: input,
    stop: async (reason) => void stops.push(reason),
    after: (callback, ms) => void clock.setTimeout(callback, ms),
    exit: (code) => void exits.push(code),
  });
  return { process, input, clock, stops, exits, signals };
};

describe("signals", () => {
  it("the first one drains, the second one cuts the drain, the third one does not wait for anybody", () => {
    const { process, stops, exits, signals } = set();
    process.emit("SIGINT");
    expect(stops).toEqual(["SIGINT"]);
    process.emit("SIGINT");
    expect([stops, exits]).toEqual([["SIGINT", "SIGINT"], []]);
    process.emit("SIGTERM");
    expect(exits).toEqual([130]);
    expect(signals.ended()).toBe("SIGINT");
  });

  it("a hang-up drains for two seconds only", async () => {
    const { process, clock, stops } = set();
    process.emit("SIGHUP");
    await clock.advance(1999);
    expect(stops).toHaveLength(1);
    await clock.advance(1);
    expect(stops).toHaveLength(2);
  });

  it("a library that raises the signal once more does not cut the drain", () => {
    const process = new EventEmitter();
    process.once("SIGTERM", () => process.emit("SIGTERM"));
    const stops: string[] = [];
    watchSignals({ process, terminalInput: null, stop: async (reason) => void stops.push(reason), after: () => {}, exit: () => {} });
    process.emit("SIGTERM");
    expect(stops).toEqual(["SIGTERM"]);
  });

  it("a closed window sends several hang-ups, also after a SIGTERM, and they cut nothing short", () => {
    const { process, input, stops, exits } = set();
    process.emit("SIGTERM");
    process.emit("SIGHUP");
    process.emit("SIGHUP");
    input.emit("end");
    process.emit("SIGHUP");
    expect([stops, exits]).toEqual([["SIGTERM"], []]);
  });

  it("the end of the terminal's input is a hang-up, once", () => {
    const { input, stops, signals } = set();
    input.emit("end");
    input.emit("close");
    expect([stops, signals.ended()]).toEqual([["SIGHUP"], "SIGHUP"]);
  });

  it("after dispose nothing is heard any more", () => {
    const { process, input, stops, signals } = set();
    signals.dispose();
    process.emit("SIGTERM");
    input.emit("end");
    expect([stops, signals.ended()]).toEqual([[], null]);
  });

  it("the exit codes are 128 and the signal's number", () => {
    expect(exitCodes).toEqual({ SIGHUP: 129, SIGINT: 130, SIGTERM: 143 });
  });
});
