// What is at the port: a proxy of ours, another program, nothing; and which port is free.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { bindFault, findRunning, lookAtPort } from "../../src/cli/running.ts";
import { secret } from "../../src/lib/secret.ts";
import { holdPort } from "../helpers/ports.ts";
import { localKey } from "./fake-context.ts";
import { answering, health, proxyAnswers } from "./fake-proxy.ts";

const query = (port: number, timeoutMs = 10_000) => ({ host: "127.0.0.1", port, key: secret(localKey), fetch, timeoutMs });
const look = (port: number) => findRunning(query(port));

describe("who is at the port", () => {
  it("a proxy that knows our key is ours, another one is not", async () => {
    const [ours, other] = [await proxyAnswers(), await proxyAnswers("cop_another")];
    expect(await look(ours.port)).toMatchObject({ is: "ours", url: `http://127.0.0.1:${ours.port}`, health: { in_flight: 2 } });
    expect(await look(other.port)).toMatchObject({ is: "other-folder" });
  });

  it("a proxy without any account is still ours", async () => {
    const { port } = await answering((path) => (path === "/health" ? [503, { ...health, status: "sign-in-needed" }] : [200, {}]));
    expect(await look(port)).toMatchObject({ is: "ours", health: { status: "sign-in-needed" } });
  });

  it("something else is foreign and never gets to see the key", async () => {
    const { mode: _mode, ...withoutMode } = health;
    const wrong = [withoutMode, { ...health, status: 1 }, { ...health, version: null }, { ...health, uptime_seconds: "1" }, { ...health, accounts: {} }];
    for (const body of ["<html>", { status: "ok" }, [], "null", ...wrong]) {
      const { port, seen } = await answering(() => [200, body]);
      expect(await look(port)).toMatchObject({ is: "foreign" });
      expect(seen).toEqual([{ path: "/health", authorization: undefined }]);
    }
  });

  it("a listener that accepts and says nothing is foreign", async () => {
    const server = createServer(() => {});
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close().closeAllConnections());
    expect(await findRunning(query((server.address() as AddressInfo).port, 100))).toMatchObject({ is: "foreign" });
  });

  it("a port that refuses, and port 0, is none", async () => {
    const { port, release } = await holdPort();
    onTestFinished(release);
    expect([await look(port), await look(0)]).toEqual([{ is: "none" }, { is: "none" }]);
  });
});

describe("a port that is taken", () => {
  it("is told apart: our own proxy, one with another folder, another program; each with the next port", async () => {
    const [ours, other, foreign] = [await proxyAnswers(), await proxyAnswers("cop_another"), await answering(() => [404, "no"])];
    const looks = await Promise.all([ours, other, foreign].map(({ port }) => lookAtPort(query(port))));
    expect(looks.map(({ message }) => message)).toEqual([
      `Port ${ours.port} on 127.0.0.1 is taken by another claude-oauth-proxy of yours (version 0.1.0, this data folder).`,
      `Port ${other.port} on 127.0.0.1 is taken by a claude-oauth-proxy with another data folder (version 0.1.0).`,
      `Port ${foreign.port} on 127.0.0.1 is taken by another program.`,
    ]);
    expect(looks.map(({ other: proxy }) => proxy)).toEqual([{ version: "0.1.0", uptimeSeconds: 7500 }, { version: "0.1.0", uptimeSeconds: 7500 }, null]);
    expect(looks.map(({ hint }) => hint.startsWith("It serves already"))).toEqual([true, false, false]);
    for (const { nextPort, hint } of looks) expect(hint).toContain(`\`claude-oauth-proxy --port ${nextPort}\``);
    expect(looks[0]?.nextPort).toBeGreaterThan(ours.port);
  });

  it("is a port on which this user cannot listen, with the system's reason", async () => {
    const { port } = await proxyAnswers();
    expect(await bindFault("127.0.0.1", port)).toBe("EADDRINUSE");
    expect(await bindFault("192.0.2.1", 0)).toBe("EADDRNOTAVAIL");
  });

  it("has no next one behind the last port of all", async () => {
    expect(await lookAtPort(query(65_535))).toMatchObject({ nextPort: null, hint: expect.stringContaining("Choose another one with --port.") });
  });
});
