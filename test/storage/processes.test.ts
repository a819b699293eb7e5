import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { createSystemProcesses, holdsOtherEnd } from "../../src/storage/processes.ts";
import { eventually } from "../helpers/eventually.ts";
import { releaseLater } from "../helpers/leftovers.ts";

const processes = createSystemProcesses(process);

describe("looking at processes", () => {
  it("knows itself and finds itself alive with the same start time", () => {
    expect(processes.self.pid).toBe(process.pid);
    expect(processes.look(process.pid)).toEqual({ alive: true, startTime: processes.self.startTime });
  });

  it("knows two processes apart by their start", async () => {
    const child = spawn("sleep", ["30"]);
    releaseLater(() => void child.kill("SIGKILL"));
    await once(child, "spawn");
    const seen = processes.look(child.pid ?? 0);
    expect(seen.alive).toBe(true);
    if (processes.self.startTime !== null) expect(seen.startTime).not.toBe(processes.self.startTime);
  });

  it("finds a finished process, and pids that are none, dead", () => {
    const { pid } = spawnSync("true");
    expect([pid, 0, -1, 1.5, 4_194_304].map((asked) => processes.look(asked).alive)).toEqual([false, false, false, false, false]);
  });

  it("counts a process of another user, which it may not signal, as alive", () => {
    const refusing = { ...process, pid: process.pid, kill: () => { throw Object.assign(new Error("no"), { code: "EPERM" }); } };
    expect(createSystemProcesses(refusing).look(1).alive).toBe(true);
  });

  it.runIf(process.platform === "linux")("counts a zombie as dead: it answers signals but never writes again", async () => {
    // The shell starts a child that ends, and then becomes a program that never asks for its end.
    const shell = spawn("sh", ["-c", "sleep 0.1 & echo $!; exec sleep 30"]);
    releaseLater(() => void shell.kill("SIGKILL"));
    const [line] = (await once(shell.stdout, "data")) as [Buffer];
    const pid = Number(line.toString().trim());
    await eventually(() => processes.look(pid).alive, (alive) => !alive);
    expect(() => process.kill(pid, 0)).not.toThrow();
  });
});

/** A connection between two sockets of this process, as its client sees it. */
const connected = async (listenHost: string, connectHost: string) => {
  const server = createServer((socket) => void socket.on("error", () => {})).listen(0, listenHost);
  await once(server, "listening");
  const client = connect({ host: connectHost, port: (server.address() as AddressInfo).port });
  releaseLater(() => {
    client.destroy();
    server.close();
  });
  await Promise.all([once(server, "connection"), once(client, "connect")]);
  const { localAddress = "", localPort = 0, remoteAddress = "", remotePort = 0 } = client;
  return { localAddress, localPort, remoteAddress, remotePort };
};

describe.runIf(process.platform === "linux")("who holds the other end of a connection", () => {
  it.each([
    ["IPv4", "127.0.0.1", "127.0.0.1"],
    ["another IPv4 address", "127.1.2.3", "127.1.2.3"],
    ["IPv6", "::1", "::1"],
    ["a listener of both families", "::", "127.0.0.1"],
  ])("is known for %s", async (_, listenHost, connectHost) => {
    const ends = await connected(listenHost, connectHost);
    const other = spawn("sleep", ["30"]);
    releaseLater(() => void other.kill("SIGKILL"));
    expect([holdsOtherEnd(process.pid, ends), holdsOtherEnd(other.pid ?? 0, ends)]).toEqual([true, false]);
  });

  it("is not known of a process that is gone, or of a connection that is not there", async () => {
    const ends = await connected("127.0.0.1", "127.0.0.1");
    expect(holdsOtherEnd(spawnSync("true").pid, ends)).toBe(null);
    expect(holdsOtherEnd(process.pid, { ...ends, localPort: 1 })).toBe(null);
    expect(holdsOtherEnd(process.pid, { ...ends, remoteAddress: "", localAddress: "" })).toBe(null);
  });
});
