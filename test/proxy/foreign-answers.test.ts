// What lies on a kept upstream connection when the next request wants to use it is nobody's answer: not an answer that
// was never asked for, not a body after HEAD or 304, not a 408 or a FIN. The process is stopped for some of them, so that
// the request and the foreign bytes wait side by side when it goes on (undici: GHSA-35p6-xmwp-9g52).
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { eventually } from "../helpers/eventually.ts";
import type { Proxy } from "../helpers/data-folder.ts";
import { messagesIn, openWay, openWayInProcess, statusesIn } from "../helpers/whole-way.ts";
import { isWhole } from "./raw-client.ts";
import { reply } from "./raw-upstream.ts";
import type { RawAnswer, RawRequest } from "./raw-upstream.ts";

const foreign = reply("200 OK", "foreign");
const lateTimeout = Buffer.from("HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");

/** Every request gets its own body back. */
const echo: RawAnswer = ({ socket, body }) => socket.write(reply("200 OK", body));

const ownAnswer = (body: string) => (text: string): boolean => isWhole(text) && text.endsWith(`\r\n\r\n${body}`);

const state = (proxy: Proxy): string => readFileSync(`/proc/${proxy.pid}/stat`, "utf8").split(") ")[1]?.[0] ?? "";

/** The kernel has taken `bytes` for the other side, whether or not that one reads them. */
const written = (socket: Socket, bytes: string | Buffer): Promise<void> => new Promise((resolve) => void socket.write(bytes, () => resolve()));

const last = (requests: readonly RawRequest[]): Socket => {
  const socket = requests.at(-1)?.socket;
  if (socket === undefined) throw new Error("no request has come");
  return socket;
};

/** What a stopped process finds when it goes on: a request of its client, and `pending` on the connection that was idle. */
const stoppedWith = async (pending: (idle: Socket) => Promise<void>, first: "request" | "pending") => {
  const way = await openWayInProcess(echo);
  const rounds: { readonly text: string; readonly executed: number }[] = [];
  for (let round = 0; round < 5; round += 1) {
    const client = await way.client();
    client.send(way.post(`before ${round}`));
    await client.until(isWhole);
    const before = client.size();
    const idle = last(way.upstream.requests);
    way.proxy.kill("SIGSTOP");
    await eventually(() => state(way.proxy), (seen) => seen === "T", { what: "the stop" });
    const own = `own ${round}`;
    const both = [() => written(client.socket, way.post(own)), () => pending(idle)];
    for (const act of first === "request" ? both : both.toReversed()) await act();
    way.proxy.kill("SIGCONT");
    const text = await client.until((seen) => isWhole(seen.slice(before)));
    rounds.push({ text: text.slice(before), executed: way.upstream.requests.filter(({ body }) => body.toString() === own).length });
    expect(way.proxy.child.exitCode).toBeNull();
  }
  return rounds;
};

describe.each(["request", "pending"] as const)("a process that was stopped, where the %s came first", (first) => {
  it("gives no client an answer that was never asked for", { timeout: 60_000 }, async () => {
    const rounds = await stoppedWith((idle) => written(idle, foreign), first);
    expect(rounds.map(({ text }) => [statusesIn(text), text.includes("foreign")])).toEqual(rounds.map(() => [[200], false]));
    expect(rounds.map(({ text }, round) => ownAnswer(`own ${round}`)(text))).toEqual(rounds.map(() => true));
    expect(rounds.map(({ executed }) => executed)).toEqual(rounds.map(() => 1));
  });

  it.each([
    ["a FIN", (idle: Socket) => new Promise<void>((resolve) => void idle.end(() => resolve()))],
    ["a 408", (idle: Socket) => new Promise<void>((resolve) => void idle.end(lateTimeout, () => resolve()))],
  ])("answers once, with its own or with a 502 that may be tried again, when %s waits on the idle connection", { timeout: 60_000 }, async (_, pending) => {
    for (const [round, { text, executed }] of (await stoppedWith(pending, first)).entries()) {
      expect(statusesIn(text)).toHaveLength(1);
      if (ownAnswer(`own ${round}`)(text)) expect(executed).toBe(1);
      else expect(text).toMatch(/^HTTP\/1\.1 502 [^]*\r\nx-should-retry: true\r\n/i);
      expect(executed).toBeLessThanOrEqual(1);
    }
  });
});

describe("an idle upstream connection of a running process", () => {
  it.each([
    ["an answer", (idle: Socket) => written(idle, foreign)],
    ["half an answer", (idle: Socket) => written(idle, foreign.subarray(0, 20))],
    ["bytes that are no HTTP", (idle: Socket) => written(idle, "\u0000\u0001\u0002")],
    ["a 408 and a FIN", async (idle: Socket) => void idle.end(lateTimeout)],
    ["a FIN", async (idle: Socket) => void idle.end()],
    ["a reset", async (idle: Socket) => void idle.resetAndDestroy()],
  ])("on which %s comes is not used again", async (_, act) => {
    const way = await openWay(echo);
    const client = await way.client();
    client.send(way.post("first"));
    await client.until(ownAnswer("first"));
    await act(last(way.upstream.requests));
    await way.upstream.until((up) => up.open() === 0);
    client.send(way.post("second"));
    const text = await client.until(ownAnswer("second"));
    expect(statusesIn(text)).toEqual([200, 200]);
    expect(way.upstream.requests.map(({ body }) => body.toString())).toEqual(["first", "second"]);
  });
});

describe("a body where there is none", () => {
  const bodies = [
    ["after HEAD", "HEAD /v1/models", [], "HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n"],
    ["after a 304 with a length", "GET /v1/models", ['if-none-match: "a"'], 'HTTP/1.1 304 Not Modified\r\netag: "a"\r\ncontent-length: 7\r\n\r\n'],
    ["after a 204", "GET /v1/models", [], "HTTP/1.1 204 No Content\r\n\r\n"],
  ] as const;
  const asBody = [
    ["a body", Buffer.from("foreign")],
    ["a whole answer", foreign],
  ] as const;
  const cases = bodies.flatMap(([when, line, fields, head]) => asBody.map(([what, bytes]) => ({ when, what, line, fields, head, bytes })));

  it.each(cases)("$what $when reaches no client, sent at once", async ({ line, fields, head, bytes }) => {
    const way = await openWay(({ socket, head: asked, body }) => {
      if (asked.startsWith("POST")) socket.write(reply("200 OK", body));
      else socket.write(Buffer.concat([Buffer.from(head), bytes]));
    });
    const client = await way.client();
    client.send(way.head(line, [...fields]));
    await client.until((text) => text.includes("\r\n\r\n"));
    client.send(way.post("own"));
    const text = await client.until((seen) => seen.endsWith("\r\n\r\nown"));
    expect([messagesIn(text).length, text.includes("foreign")]).toEqual([2, false]);
  });

  it.each(cases)("$what $when reaches no client, sent while the next request waits", async ({ line, fields, head, bytes }) => {
    let idle: Socket | null = null;
    const way = await openWay(({ socket, head: asked, body }) => {
      if (asked.startsWith("POST")) return void socket.write(reply("200 OK", body));
      idle = socket;
      return void socket.write(head);
    });
    const client = await way.client();
    client.send(way.head(line, [...fields]));
    await client.until((text) => text.includes("\r\n\r\n"));
    // Both are on their way at the same time: the kernel decides which the program sees first.
    client.send(way.post("own"));
    (idle as Socket | null)?.write(bytes);
    const text = await client.until((seen) => messagesIn(seen).length === 2 && isWhole(messagesIn(seen)[1] ?? ""));
    expect(text).not.toContain("foreign");
    expect([200, 502]).toContain(statusesIn(text)[1]);
  });
});

it("a client that leaves in the middle of an answer leaves nothing for the next one", async () => {
  const way = await openWay(({ socket, head, body }) => {
    if (head.includes("x-leave")) socket.write("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\nforeign");
    else socket.write(reply("200 OK", body));
  });
  for (let round = 0; round < 10; round += 1) {
    const leaving = connect(way.port, "127.0.0.1");
    onTestFinished(() => void leaving.destroy());
    leaving.write(way.post("leaving", ["x-leave: 1"]));
    await new Promise((resolve) => leaving.once("data", resolve));
    leaving.destroy();
    const client = await way.client();
    client.send(way.post(`own ${round}`));
    expect(await client.until(isWhole)).not.toContain("foreign");
    expect(client.text()).toMatch(new RegExp(`own ${round}$`));
  }
});
