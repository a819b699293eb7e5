// What the composition root itself decides: the orderly end, and what a sleep of the machine means.
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createApp } from "../../src/app/create-app.ts";
import { refreshSettings } from "../../src/app/core.ts";
import { openKey } from "../../src/app/open-key.ts";
import { eventually } from "../helpers/eventually.ts";
import { settingsOf, startApp, temporaryFolder, type RunningApp } from "../helpers/running-app.ts";
import { openWay, statusesIn } from "../helpers/whole-way.ts";

const ask = ({ listening, key }: RunningApp, stream = false): Promise<Response> =>
  fetch(`${listening.url}/v1/messages`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: "claude-sonnet-4-5", max_tokens: 16, stream, messages: [{ role: "user", content: "x" }] }),
  });

describe("stopping", () => {
  it("waits for an open answer, and a second call cuts that short", async () => {
    const running = await startApp({ set: ["server.drainSeconds=60"] });
    await running.signIn();
    running.upstream.script({ fault: { kind: "silence", afterBytes: 40 } });
    const response = await ask(running, true);
    const first = running.app.commands.stop("by hand");
    expect(await running.event("server.stopping")).toMatchObject({ reason: "by hand", inFlight: 1, drainSeconds: 60 });
    await expect(fetch(`${running.listening.url}/health`)).rejects.toThrow("fetch failed");
    void running.app.commands.stop("again");
    await expect(response.text()).rejects.toThrow("terminated");
    await Promise.all([first, running.app.stopped]);
    expect(running.events.filter(({ type }) => type === "server.stopped")).toMatchObject([{ requestsTotal: 1 }]);
    expect(running.events.filter(({ type }) => type === "request.finished")).toMatchObject([{ outcome: "shutdown" }]);
  });

  it("answers what waits when it is cut short, and what was cut never looks complete", async () => {
    const way = await openWay(({ socket, head }) => void (head.includes("x-open") && socket.write("HTTP/1.1 200 OK\r\n\r\nhalf")));
    const [waiting, old] = [await way.client(), await way.client()];
    waiting.send(way.post("{}"));
    // Its answer ends where the connection ends.
    old.send(way.post("{}", ["x-open: yes"]).replace(" HTTP/1.1", " HTTP/1.0"));
    await old.until((text) => text.endsWith("half"));
    await way.upstream.until((up) => up.requests.length === 2);
    void way.running.app.commands.stop("by hand");
    await way.running.app.commands.stop("again");
    expect(await waiting.closed).toBe("ended");
    expect(statusesIn(waiting.text())).toEqual([503]);
    expect(await old.closed).toBe("reset");
    const finished = way.running.events.filter((event) => event.type === "request.finished");
    expect(finished.map(({ outcome, errorCode }) => [outcome, errorCode])).toEqual([["shutdown", "shutting-down"], ["shutdown", "shutting-down"]]);
  });

  it("before the start reports no server that stops", async () => {
    const app = await createApp({
      config: settingsOf(["server.port=0"]),
      dir: temporaryFolder(),
      version: "0.0.0-test",
      environment: {},
      askPassphrase: async () => null,
      process,
      accountId: null,
    });
    const types: string[] = [];
    app.bus.subscribe(({ type }) => types.push(type));
    await app.commands.stop("never started");
    await app.stopped;
    expect(types).toEqual([]);
  });
});

/** The addresses that a command would find. */
const known = (dir: string): readonly string[] => openKey({ dir, process, publish: () => {} }).proxies.map(({ url }) => url);

describe("proxy.json", () => {
  it("names each proxy of the folder from the moment it listens until it is told to stop", async () => {
    const [first, second] = [await startApp(), await startApp()];
    expect(known(first.dir)).toEqual([first.listening.url]);
    const beside = await startApp({ dir: first.dir, shared: first.upstream });
    expect(known(first.dir).toSorted()).toEqual([beside.listening.url, first.listening.url].toSorted());
    expect(known(second.dir)).toEqual([second.listening.url]);
    await first.signIn();
    first.upstream.script({ fault: { kind: "silence", afterBytes: 40 } });
    const open = await ask(first, true);
    const stopping = first.app.commands.stop("by hand");
    await eventually(() => known(first.dir), (urls) => urls.length === 1);
    expect(known(first.dir)).toEqual([beside.listening.url]);
    void first.app.commands.stop("again");
    await Promise.all([stopping, open.text().catch(() => "")]);
    await beside.app.commands.stop("too");
    expect(existsSync(join(first.dir, "proxy.json"))).toBe(false);
  });

  it("that cannot be written is one warning, and the proxy serves", async () => {
    const dir = temporaryFolder();
    mkdirSync(join(dir, "proxy.json"));
    const running = await startApp({ dir });
    expect(await running.event("notice", ({ code }) => code === "proxy-file-unwritten")).toMatchObject({ level: "warning", message: expect.stringContaining("proxy.json") });
    expect((await fetch(`${running.listening.url}/health`)).status).toBe(503);
  });
});

describe("connections to the upstream", () => {
  it("are new after a sleep, and stay after any other jump of the clock", async () => {
    const running = await startApp();
    await running.signIn();
    const connections: number[] = [];
    for (const kind of [null, "forward", "back", "suspend"] as const) {
      if (kind !== null) running.app.bus.publish({ type: "clock.jumped", deltaMs: 60_000, kind });
      await (await ask(running)).text();
      connections.push(running.upstream.requests.at(-1)?.connection ?? 0);
    }
    const [first] = connections;
    expect(connections.slice(0, 3)).toEqual([first, first, first]);
    expect(connections[3]).not.toBe(first);
  });
});

describe("the settings of refreshes", () => {
  it("are in milliseconds", async () => {
    const { app } = await startApp({ set: ["oauth.refreshLeadSeconds=600", "oauth.refreshMandatorySeconds=60", "oauth.rotateAfterHours=2"] });
    expect(refreshSettings(app.config)).toEqual({ leadMs: 600_000, mandatoryMs: 60_000, rotateAfterMs: 7_200_000 });
  });
});
