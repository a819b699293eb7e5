import { describe, expect, it } from "vitest";
import { initialState } from "../../src/state/state.ts";
import { foldLogin, foldServer, foldUpstream } from "../../src/state/reduce.ts";
import { fact } from "./facts.ts";

const start = initialState({ version: "0.1.0", mode: "oauth" });

describe("the server", () => {
  it("runs from listening to stopping to stopped", () => {
    const running = foldServer(start.server, fact("server.listening", { at: 5 }));
    expect(running).toMatchObject({ status: "running", port: 4001, startedAt: 5 });
    const stopping = foldServer(running, fact("server.stopping", { at: 1000, drainSeconds: 10 }));
    expect(stopping).toMatchObject({ status: "stopping", stopDeadline: 11_000 });
    expect(foldServer(stopping, fact("server.stopped"))).toMatchObject({ status: "stopped", stopDeadline: null });
  });

  it("takes its mode from the settings, and stays the same object for what it knows", () => {
    expect(foldServer(start.server, fact("config.loaded", { mode: "pass-through" })).mode).toBe("pass-through");
    expect(foldServer(start.server, fact("config.loaded"))).toBe(start.server);
  });
});

describe("a sign-in", () => {
  const open = foldLogin(start.login, fact("login.started"));

  it("goes from the code over the exchange to its end", () => {
    expect(open).toMatchObject({ attemptId: "l1", step: "code", expiresAt: 600_000 });
    expect(foldLogin(open, fact("login.waiting"))).toMatchObject({ step: "exchange" });
    expect(foldLogin(open, fact("login.succeeded"))).toMatchObject({ step: "succeeded" });
    expect(foldLogin(open, fact("login.failed"))).toMatchObject({ step: "failed", message: "Too late" });
  });

  it("is not disturbed by an older attempt", () => {
    expect(foldLogin(open, fact("login.failed", { attemptId: "l0" }))).toBe(open);
  });
});

describe("the upstream", () => {
  it("fails from the first attempt that did not reach it until the first answer, whatever its status", () => {
    const once = foldUpstream(start.upstream, fact("attempt.failed", { at: 5 }));
    const twice = foldUpstream(once, fact("attempt.failed", { at: 9, code: "ECONNREFUSED" }));
    expect(twice).toEqual({ failingSince: 5, failures: 2, code: "ECONNREFUSED", message: "getaddrinfo ENOTFOUND" });
    expect(foldUpstream(twice, fact("response.started", { status: 529 }))).toEqual(start.upstream);
    expect(foldUpstream(start.upstream, fact("response.started"))).toBe(start.upstream);
  });

  it("is not failing when it refuses a token or answers with a status that is tried again", () => {
    const down = foldUpstream(start.upstream, fact("attempt.failed"));
    for (const code of ["unauthorized", "http-529"]) {
      expect(foldUpstream(start.upstream, fact("attempt.failed", { code }))).toBe(start.upstream);
      expect(foldUpstream(down, fact("attempt.failed", { code }))).toEqual(start.upstream);
    }
  });
});
