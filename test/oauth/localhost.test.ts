// Both addresses that a browser takes for `localhost` are ours while a sign-in is open, or there is no link to them.
import { createServer as createHttpServer } from "node:http";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { networkInterfaces } from "node:os";
import { describe, expect, it, onTestFinished } from "vitest";
import { holdLocalhost } from "../../src/oauth/localhost.ts";

const hasSix = Object.values(networkInterfaces()).flat().some((address) => address?.address === "::1");

const listening = async <S extends Server>(server: S, host: string, port = 0): Promise<number> => {
  await new Promise<void>((resolve, reject) => void server.once("error", reject).listen({ host, port, ipv6Only: true }, resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
};

const answerOf = (host: string, port: number): Promise<string> =>
  new Promise((resolve) => {
    let text = "";
    const socket = connect({ host, port, allowHalfOpen: true }, () => socket.end("GET / HTTP/1.0\r\n\r\n"));
    socket.setEncoding("latin1").on("data", (bytes: string) => (text += bytes));
    socket.on("end", () => resolve(text.split("\r\n\r\n")[1] ?? "")).on("error", ({ message }) => resolve(message));
  });

const big = "b".repeat(300_000);

describe.skipIf(!hasSix)("the other address of localhost (needs IPv6)", () => {
  const pairs = [["127.0.0.1", "::1"], ["0.0.0.0", "::1"], ["::1", "127.0.0.1"], ["[::1]", "127.0.0.1"]] as const;

  it.each(pairs)("of a listener on %s is %s: what comes there is passed on, whole, until it is let go", async (host, other) => {
    const port = await listening(createHttpServer((_request, response) => response.end(big)), host.replaceAll(/[[\]]/g, ""));
    const held = await holdLocalhost({ host, port });
    expect(await answerOf(other, port)).toBe(big);
    held?.release();
    expect(await answerOf(other, port)).toContain("ECONNREFUSED");
  });

  it("is nobody's when another program has it: then localhost is not known to lead to us (A26)", async () => {
    const port = await listening(createHttpServer(), "127.0.0.1");
    await listening(createServer(), "::1", port);
    expect(await holdLocalhost({ host: "127.0.0.1", port })).toBeNull();
  });

  it("is of no use where the listener is not on localhost at all", async () => {
    for (const host of ["192.0.2.1", "127.0.0.2", "fe80::1"]) expect(await holdLocalhost({ host, port: 1 })).toBeNull();
  });

  it("belongs to a listener on every address of both kinds already", async () => {
    expect(await holdLocalhost({ host: "::", port: 1 })).not.toBeNull();
  });
});
