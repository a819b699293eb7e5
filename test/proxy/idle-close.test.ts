// An upstream that closes idle connections after 40 ms, under a steady stream of POSTs that come just then: a closing
// connection is either noticed in time, or the client is told that it may try again. Nothing is executed twice, counted
// where it would be executed.
import { setTimeout as pause } from "node:timers/promises";
import { expect, it } from "vitest";
import { messagesIn, openWay, statusesIn } from "../helpers/whole-way.ts";
import type { Way } from "../helpers/whole-way.ts";
import { isWhole } from "./raw-client.ts";
import type { RawClient } from "./raw-client.ts";
import { reply } from "./raw-upstream.ts";
import type { RawAnswer } from "./raw-upstream.ts";

const idleMs = 40;

/** Answers with the body of the request, and closes a connection that was idle for 40 ms in the way of `close`. */
const impatient = (close: "FIN" | "reset" | "408"): RawAnswer => {
  const timers = new WeakMap<object, NodeJS.Timeout>();
  return ({ socket, body }) => {
    clearTimeout(timers.get(socket));
    socket.write(reply("200 OK", body));
    timers.set(socket, setTimeout(() => {
      if (close === "reset") socket.resetAndDestroy();
      else if (close === "408") socket.end("HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
      else socket.end();
    }, idleMs));
  };
};

type Asked = { readonly body: string; readonly text: string };

/** One POST after another on one connection, each about when the upstream's patience ends. */
const steady = async (way: Way, lane: number, count: number): Promise<readonly Asked[]> => {
  let client: RawClient = await way.client();
  const asked: Asked[] = [];
  for (let index = 0; index < count; index += 1) {
    const body = `${lane}-${index}`;
    const before = client.size();
    client.send(way.post(body));
    const text = (await client.until((seen) => isWhole(seen.slice(before)))).slice(before);
    asked.push({ body, text });
    if (client.socket.readableEnded || /\r\nconnection: close\r\n/i.test(text)) client = await way.client();
    // The timers of both sides count in milliseconds: a spread around the limit meets every order of events.
    await pause(idleMs - 3 + ((index * 7 + lane) % 6));
  }
  return asked;
};

it.each(["FIN", "reset", "408"] as const)("each POST gets 200 or one 502 with x-should-retry and none runs twice, when idle connections end with a %s (F3)", { timeout: 60_000 }, async (close) => {
  const way = await openWay(impatient(close), { set: ["retry.delayMs=20"] });
  const lanes = await Promise.all([0, 1, 2, 3].map((lane) => steady(way, lane, 25)));
  const executed = new Map<string, number>();
  for (const { body } of way.upstream.requests) executed.set(body.toString(), (executed.get(body.toString()) ?? 0) + 1);
  for (const { body, text } of lanes.flat()) {
    expect(messagesIn(text), body).toHaveLength(1);
    const [status] = statusesIn(text);
    if (status === 200) expect([text.endsWith(`\r\n\r\n${body}`), executed.get(body)]).toEqual([true, 1]);
    // A 408 that crosses the request is an answer to it, and every client repeats after one (RFC 9110 section 15.5.9).
    else if (close !== "408" || status !== 408) expect(text).toMatch(/^HTTP\/1\.1 502 [^]*\r\nx-should-retry: true\r\n/i);
    expect(executed.get(body) ?? 0, body).toBeLessThanOrEqual(1);
  }
  const ok = lanes.flat().filter(({ text }) => statusesIn(text)[0] === 200).length;
  // Connections were reused and were closed under it: otherwise nothing of the above was tried.
  expect(way.upstream.connections()).toBeGreaterThan(4);
  expect(way.upstream.connections()).toBeLessThan(way.upstream.requests.length);
  expect(ok).toBeGreaterThan(50);
});
