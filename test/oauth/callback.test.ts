import { createConnection, createServer } from "node:net";
import { request as sendRequest } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import type { CallbackListener } from "../../src/oauth/callback.ts";
import { listenForCallback } from "../../src/oauth/callback.ts";
import type { CallbackResult } from "../../src/messages/commands.ts";
import { createFakeClock } from "../helpers/fake-clock.ts";

const statuses: Readonly<Record<CallbackResult["result"], number>> = { "signed-in": 200, confirm: 200, retry: 502, failed: 400, refused: 400, foreign: 403, lost: 409 };
const page = (result: CallbackResult) => ({ status: statuses[result.result], headers: {}, body: "message" in result ? result.message : "Signed in" });

const open: CallbackListener[] = [];
afterEach(() => Promise.all(open.splice(0).map((listener) => listener.close())));

const listen = async (complete: (query: string) => Promise<CallbackResult> | CallbackResult) => {
  const clock = createFakeClock();
  const links: string[] = [];
  const listener = await listenForCallback({
    clock,
    lifeMs: 600_000,
    openLink(_request, token) {
      links.push(token);
      return { status: 302, headers: { location: "https://claude.example/", "set-cookie": "a=b" }, body: "" };
    },
    async complete(_request, query) {
      const result = await complete(query);
      return { answer: page(result), isOver: result.result === "signed-in" || result.result === "failed" };
    },
  });
  open.push(listener);
  const port = Number(new URL(listener.origin).port);
  return { clock, listener, port, links };
};

type Visit = { readonly path?: string; readonly method?: string; readonly headers?: Record<string, string | string[]> };

const visit = (port: number, { path = "/callback?code=a&state=b", method = "GET", headers = {} }: Visit = {}): Promise<{ status: number; text: string }> =>
  new Promise((resolve, reject) => {
    const request = sendRequest({ host: "127.0.0.1", port, path, method, agent: false, headers: { host: `localhost:${port}`, ...headers } }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
    });
    request.on("error", reject);
    request.end();
  });

const bindAgain = (port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(port, "127.0.0.1", () => server.close(() => resolve()));
  });

describe("the listener for one sign-in", () => {
  it("hands over the query, answers with a page, and is gone", async () => {
    const queries: string[] = [];
    const { listener, port } = await listen((query) => {
      queries.push(query);
      return { result: "signed-in" };
    });
    expect(listener.origin).toBe(`http://localhost:${port}`);
    expect(await visit(port)).toMatchObject({ status: 200, text: expect.stringContaining("Signed in") });
    await listener.closed;
    expect(queries).toEqual(["code=a&state=b"]);
    await bindAgain(port);
  });

  it("closes after a refusal on the page too (A23)", async () => {
    const { listener, port } = await listen(() => ({ result: "failed", message: "The sign-in was refused on the page." }));
    expect(await visit(port)).toMatchObject({ status: 400, text: expect.stringContaining("The sign-in was refused on the page.") });
    await listener.closed;
  });

  it("stays open after a callback of another attempt, and while the same code can be tried again (A19)", async () => {
    const results: CallbackResult[] = [{ result: "refused", message: "no" }, { result: "retry", message: "later" }, { result: "signed-in" }];
    const { listener, port } = await listen(() => results.shift() ?? { result: "refused", message: "" });
    expect([(await visit(port)).status, (await visit(port)).status, (await visit(port)).status]).toEqual([400, 502, 200]);
    await listener.closed;
  });

  it("gives the port back when nobody came in time (A24)", async () => {
    const { clock, listener, port } = await listen(() => ({ result: "signed-in" }));
    await clock.advance(600_000);
    await listener.closed;
    await bindAgain(port);
  });

  it("is bound to the loopback address only", async () => {
    const { port } = await listen(() => ({ result: "signed-in" }));
    const refused = await new Promise<string>((resolve) => {
      const socket = createConnection({ host: "127.0.0.2", port }, () => resolve("connected")).once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
      socket.once("close", () => socket.destroy());
    });
    expect(refused).toBe("ECONNREFUSED");
  });

  it.each<[string, Visit, number]>([
    ["another path", { path: "/" }, 404],
    ["a path that only begins so", { path: "/callbackx?code=a" }, 404],
    ["a path below it", { path: "/callback/x" }, 404],
    ["POST", { method: "POST" }, 405],
    ["HEAD", { method: "HEAD" }, 405],
    ["a foreign Host (A22)", { headers: { host: "evil.example:1" } }, 403],
    ["a Host that only begins so (A22)", { headers: { host: "localhost.evil.example" } }, 403],
    ["a foreign Origin (A22)", { headers: { origin: "https://evil.example" } }, 403],
    ["an opaque Origin (A22)", { headers: { origin: "null" } }, 403],
    ["a fetch by another page (A22)", { headers: { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" } }, 403],
  ])("refuses %s without looking at the query", async (_name, request, status) => {
    let asked = 0;
    const { port } = await listen(() => {
      asked += 1;
      return { result: "signed-in" };
    });
    expect((await visit(port, request)).status).toBe(status);
    expect(asked).toBe(0);
  });

  it("refuses two Host headers, in either order (A22)", async () => {
    const { port } = await listen(() => ({ result: "signed-in" }));
    for (const hosts of [["evil.example", `localhost:${port}`], [`localhost:${port}`, "evil.example"]]) {
      const answer = await new Promise<string>((resolve, reject) => {
        const socket = createConnection({ host: "127.0.0.1", port }, () => socket.write(`GET /callback?code=a&state=b HTTP/1.1\r\nHost: ${hosts[0]}\r\nHost: ${hosts[1]}\r\n\r\n`));
        socket.once("data", (bytes: Buffer) => resolve(bytes.toString("latin1").split("\r\n", 1)[0] ?? "")).once("error", reject);
      });
      expect(answer).toMatch(/^HTTP\/1\.1 40[03] /);
    }
  });

  it("hands the token of the short link over, and leads to where that goes, for GET alone (A26)", async () => {
    const { port, links } = await listen(() => ({ result: "signed-in" }));
    const visits: readonly Visit[] = [{}, { method: "HEAD" }, { headers: { "sec-fetch-mode": "no-cors" } }, { headers: { host: "evil.example" } }];
    const answers = await Promise.all(visits.map((more) => visit(port, { path: "/login/abc", ...more })));
    expect([answers.map(({ status }) => status), links]).toEqual([[302, 405, 403, 403], ["abc"]]);
    for (const path of ["/login", "/login/", "/login/a/b"]) expect((await visit(port, { path })).status).toBe(404);
  });

  it("an answer that is under way when the sign-in ends otherwise is not cut off", async () => {
    const [gate, asked] = [Promise.withResolvers<CallbackResult>(), Promise.withResolvers<void>()];
    const { listener, port } = await listen(() => (asked.resolve(), gate.promise));
    const answer = visit(port);
    await asked.promise;
    const closing = listener.close();
    gate.resolve({ result: "lost", message: "Too late." });
    expect(await answer).toEqual({ status: 409, text: "Too late." });
    await closing;
  });

  it("takes the navigation that a browser makes when the sign-in page sends it back", async () => {
    const { port } = await listen(() => ({ result: "signed-in" }));
    expect((await visit(port, { headers: { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" } })).status).toBe(200);
  });

  it("a fault inside ends with a page, not with a silent socket", async () => {
    const { port } = await listen(() => {
      throw new Error("inside");
    });
    const answer = await visit(port);
    expect(answer).toMatchObject({ status: 400 });
    expect(answer.text).not.toContain("inside");
  });
});
