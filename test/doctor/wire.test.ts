// The bare socket of the proofs: every wait ends, with a reason.
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { openWire } from "../../src/doctor/wire.ts";
import { createSystemClock } from "../../src/lib/clock.ts";

const listening = async (answer: (socket: Socket) => void): Promise<number> => {
  const server = createServer((socket) => answer(socket.on("error", () => {})));
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
};

const open = (port: number, patienceMs = 5000) => openWire({ port, clock: createSystemClock(), patienceMs });

it("shows the bytes as they came", async () => {
  const wire = await open(await listening((socket) => socket.on("data", (bytes) => socket.end(bytes))));
  wire.send(Buffer.from("echo"));
  await wire.until("the echo", () => wire.received().toString() === "echo");
  await wire.until("the end", () => wire.isClosed());
});

it("a wait fails when the connection is closed first, and when nothing comes in time", async () => {
  const closing = await open(await listening((socket) => socket.destroy()));
  await expect(closing.until("an answer", () => false)).rejects.toThrow("the connection was closed before an answer");
  const silent = await open(await listening(() => {}), 30);
  await expect(silent.until("an answer", () => false)).rejects.toThrow("an answer did not come within 0.03 s");
  silent.leave();
});

it("opening fails when nobody listens", async () => {
  const port = await listening(() => {});
  const wire = await open(port);
  wire.leave();
  await expect(open(1)).rejects.toThrow("nobody listens");
});
