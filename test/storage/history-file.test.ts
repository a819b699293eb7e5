import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Event, EventDraft } from "../../src/messages/events.ts";
import { systemFiles } from "../../src/storage/files.ts";
import type { Files, StorageNotice } from "../../src/storage/files.ts";
import { createHistoryFile } from "../../src/storage/history-file.ts";
import type { Processes } from "../../src/storage/processes.ts";
import { eventually } from "../helpers/eventually.ts";
import { createFakeClock } from "../helpers/fake-clock.ts";
import { filesWith, realProcesses, systemError, temporaryFolder } from "./kit.ts";

let seq = 0;
const event = (draft: EventDraft, at = 1_000): Event => ({ ...draft, at, seq: (seq += 1) });
const refreshed = (at: number): Event => event({ type: "token.refreshed", accountId: "a", reason: "lead", durationMs: 1, oldExpiresAt: 1, newExpiresAt: 2 }, at);
const finished = (requestId: string, outcome: "ok" | "failed" | "client-left" = "ok"): Event =>
  event({
    type: "request.finished", requestId, status: 200, outcome, durationMs: 1, ttfbMs: 1, longestSilenceMs: 0, bytesIn: 1, bytesOut: 1,
    attempts: 1, upstreamRequestId: null, blame: null, errorCode: null, message: null, nextStep: null,
  });
const usage = (requestId: string, inputTokens: number | null, outputTokens: number | null): Event =>
  event({ type: "usage.updated", requestId, model: "m", inputTokens, outputTokens, cacheReadTokens: 1, cacheCreationTokens: null, stopReason: null });

const setUp = (dir = temporaryFolder(), { files = systemFiles, processes = realProcesses }: { files?: Files; processes?: Processes } = {}) => {
  const clock = createFakeClock();
  const notices: StorageNotice[] = [];
  const history = createHistoryFile({ dir, clock, files, processes, onNotice: (notice) => void notices.push(notice) });
  return { dir, clock, notices, history, path: join(dir, "history.json") };
};

describe("the history of a data folder", () => {
  it("survives a restart, and goes on", async () => {
    const { dir, history } = setUp();
    history.record(refreshed(1));
    await history.flush();
    const next = setUp(dir).history;
    expect(next.load().refreshes.length).toBe(1);
    next.record(refreshed(2));
    expect([next.snapshot().refreshes.map(({ at }) => at), next.snapshot().counters.refreshes]).toEqual([[1, 2], 2]);
    await next.flush();
    await next.flush();
    expect(setUp(dir).history.load()).toEqual(next.snapshot());
  });

  it("is written two seconds after a refresh and a minute after a mere count, once for many", async () => {
    const { history, clock, path } = setUp();
    for (let count = 0; count < 50; count += 1) history.record(finished(`r${count}`));
    await clock.advance(50_000);
    expect(existsSync(path)).toBe(false);
    history.record(refreshed(1));
    await clock.advance(1_900);
    expect(existsSync(path)).toBe(false);
    await clock.advance(200);
    expect(JSON.parse(readFileSync(path, "utf8")).counters).toMatchObject({ requests: 50, refreshes: 1 });
    expect(clock.pendingTimers()).toBe(0);
  });

  it("is not written later because a mere count came after a refresh", async () => {
    const { history, clock, path } = setUp();
    history.record(refreshed(1));
    history.record(finished("r1"));
    await clock.advance(2_100);
    expect(JSON.parse(readFileSync(path, "utf8")).counters).toMatchObject({ requests: 1, refreshes: 1 });
  });

  it("counts the last usage of each request once, and forgets the request", async () => {
    const { history } = setUp();
    for (const each of [usage("a", 100, 1), usage("a", null, 20), usage("b", 7, 7), finished("a"), finished("a"), finished("b", "failed"), finished("c", "client-left")]) history.record(each);
    expect(history.snapshot().counters).toMatchObject({ requests: 4, failedRequests: 1, inputTokens: 107, outputTokens: 27, cacheReadTokens: 2 });
  });

  it("of two processes is one: both add to what is in the file", async () => {
    const dir = temporaryFolder();
    const other: Processes = { ...realProcesses, self: { ...realProcesses.self, pid: process.ppid } };
    const [one, two] = [setUp(dir).history, setUp(dir, { processes: other }).history];
    one.load();
    two.load();
    one.record(refreshed(1));
    two.record(refreshed(1));
    await one.flush();
    await two.flush();
    expect(setUp(dir).history.load()).toMatchObject({ refreshes: { length: 2 }, counters: { refreshes: 2 } });
  });

  it("that is no history is kept beside the new one", async () => {
    const { dir, history, notices, path } = setUp();
    writeFileSync(path, "broken", { mode: 0o600 });
    expect(history.load().refreshes).toEqual([]);
    history.record(refreshed(1));
    await history.flush();
    expect([readFileSync(`${path}.broken`, "utf8"), notices.map(({ code }) => code), setUp(dir).history.load().refreshes.length]).toEqual(["broken", ["moved-aside"], 1]);
  });

  it("that cannot be saved is one notice; nothing is lost and nothing throws", async () => {
    let failing = true;
    const files = filesWith(({ name, args }) => { if (failing && name === "openSync" && args[1] === "wx") throw systemError("ENOSPC"); });
    const { dir, history, notices, clock } = setUp(temporaryFolder(), { files });
    for (let at = 1; at <= 3; at += 1) {
      history.record(refreshed(at));
      await history.flush();
    }
    expect(notices).toEqual([expect.objectContaining({ level: "warning", code: "history-unsaved", message: expect.stringContaining("disk is full") })]);
    failing = false;
    history.record(refreshed(4));
    await clock.advance(2_000);
    await eventually(() => setUp(dir).history.load().refreshes.length, (count) => count === 4);
  });

  it("leaves no temporary file behind", async () => {
    const { dir, history } = setUp();
    history.record(refreshed(1));
    await history.flush();
    expect(readdirSync(dir, { recursive: true }).map(String).sort()).toEqual(["history.json", "locks", "locks/history", "locks/history/1"]);
  });
});
