// One connection for a few questions: one socket, a limit of time, a limit of size, and the address that was reached.
import { describe, expect, it } from "vitest";
import { connectTo } from "../../src/cli/connection.ts";
import { reservePort } from "../helpers/leftovers.ts";
import { answering } from "./fake-proxy.ts";

const maxBytes = 1000;

describe("a connection", () => {
  it("asks under the address that was reached, whatever name led there", async () => {
    const { port, seen } = await answering(() => [200, { a: 1 }]);
    const connection = await connectTo(`http://localhost:${port}`, 5000);
    expect(connection.host).toBe(`127.0.0.1:${port}`);
    expect(await connection.ask("/x", { headers: { "x-one": "1" }, maxBytes })).toEqual({ status: 200, errorCode: null, body: { a: 1 } });
    expect(seen).toEqual([expect.stringMatching(new RegExp(`^GET /x\\n[^]*host\\n127\\.0\\.0\\.1:${port}\\n[^]*x-one\\n1`, "i"))]);
    connection.close();
  });

  it("gives the code of an error of ours, and no body where it is not JSON", async () => {
    const { port } = await answering(() => [401, "<html>", { "x-claude-oauth-proxy-error": "local-key" }]);
    const connection = await connectTo(`http://127.0.0.1:${port}`, 5000);
    expect(await connection.ask("/", { maxBytes })).toEqual({ status: 401, errorCode: "local-key", body: undefined });
    connection.close();
  });

  it("reads no more than it was told to", async () => {
    const { port } = await answering((path) => [200, "1".repeat(path === "/long" ? 1001 : 1000)]);
    const connection = await connectTo(`http://127.0.0.1:${port}`, 5000);
    expect((await connection.ask("/", { maxBytes })).status).toBe(200);
    await expect(connection.ask("/long", { maxBytes })).rejects.toThrow("too long");
    connection.close();
  });

  it("never opens a second socket: what was closed stays closed", async () => {
    const { port, seen } = await answering(() => [200, {}, { connection: "close" }]);
    const connection = await connectTo(`http://127.0.0.1:${port}`, 5000);
    await connection.ask("/", { maxBytes });
    await expect(connection.ask("/again", { maxBytes })).rejects.toThrow("The connection was closed.");
    expect(seen).toHaveLength(1);
    connection.close();
    await expect(connection.ask("/again", { maxBytes })).rejects.toThrow("The connection was closed.");
  });

  it("is refused where no program listens, as the system says it", async () => {
    await expect(connectTo(`http://127.0.0.1:${await reservePort()}`, 5000)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });
});
