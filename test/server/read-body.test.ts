// The JSON bodies of our own endpoints, over bare sockets: type, size, time, shape.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSystemClock } from "../../src/lib/clock.ts";
import type { Clock } from "../../src/lib/clock.ts";
import { AppError } from "../../src/messages/errors.ts";
import { flagField, integerField, neededText, textField } from "../../src/server/read-body.ts";
import { ask, errorOf, head, headerOf, openWire, post, startServer, statusOf } from "./kit.ts";

const seen: unknown[] = [];
let kit: Awaited<ReturnType<typeof startServer>>;
beforeAll(async () => {
  kit = await startServer({ commands: { cancelLogin: (attemptId) => void seen.push(attemptId) } });
});
afterAll(() => kit.close());

const path = "/auth/device/cancel";
const raw = (body: string, type: string | null = "application/json", more: Record<string, string> = {}): Promise<string> =>
  ask(kit.port, head(kit.port, `POST ${path}`, { "content-type": type, "content-length": String(Buffer.byteLength(body, "latin1")), ...more }) + body);

describe("what a body may be", () => {
  it("a JSON object is read", async () => {
    seen.length = 0;
    expect(statusOf(await raw('{"attempt_id":"a1"}'))).toBe(200);
    expect(statusOf(await raw('{"attempt_id":"a2"}', "Application/JSON; charset=utf-8"))).toBe(200);
    expect(seen).toEqual(["a1", "a2"]);
  });

  it("a chunked JSON object is read", async () => {
    seen.length = 0;
    await ask(kit.port, `${head(kit.port, `POST ${path}`, { "content-type": "application/json", "transfer-encoding": "chunked" })}5\r\n{"att\r\ne\r\nempt_id":"a3"}\r\n0\r\n\r\n`);
    expect(seen).toEqual(["a3"]);
  });

  it("a chunk that is none ends the reading at once, with one whole 400", async () => {
    const clock = createSystemClock();
    let running = 0;
    const setTimeout: Clock["setTimeout"] = (callback, ms) => {
      const timer = clock.setTimeout(callback, ms);
      running += 1;
      return { cancel: () => void (timer.cancel(), (running -= 1)) };
    };
    await using own = await startServer({ clock: { ...clock, setTimeout } });
    const wire = openWire(own.port);
    wire.write(`${head(own.port, `POST ${path}`, { "content-type": "application/json", "transfer-encoding": "chunked" })}5\r\n{"att\r\n`);
    await expect.poll(() => running).toBe(1);
    wire.write("ZZ\r\n");
    const text = await wire.closed();
    expect(errorOf(text)).toMatchObject({ status: 400, code: "bad-request" });
    await expect.poll(() => running).toBe(0);
  });

  it("anything that a form of a foreign page could send is 415 (S7)", async () => {
    for (const type of ["text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "text/plain; application/json", "application/jsonx", null]) {
      expect(errorOf(await raw('{"attempt_id":"a1"}', type))).toMatchObject({ status: 415, code: "unsupported-media-type" });
    }
    expect(statusOf(await raw("x", "application/json", { "content-encoding": "gzip" }))).toBe(415);
  });

  it("broken JSON, and JSON that is no object, is 400 without a word of the body", async () => {
    for (const body of ["{", "[]", "null", '"secret-canary"', "{'a':1}", '{"attempt_id":"secret-canary"', "\xff"]) {
      const text = await raw(body);
      expect(errorOf(text)).toMatchObject({ status: 400, code: "bad-request" });
      expect(text).not.toContain("secret-canary");
    }
  });

  it("a wrong type of a field names the field", async () => {
    expect(errorOf(await raw('{"attempt_id":5}')).message).toBe('"attempt_id" must be a text.');
    expect(errorOf(await raw("{}")).message).toBe('"attempt_id" is missing.');
    expect(errorOf(await raw("")).message).toBe('"attempt_id" is missing.');
  });

  it("`__proto__` is an ordinary name and changes nothing (S27)", async () => {
    expect(errorOf(await raw('{"__proto__":{"attempt_id":"polluted"}}')).message).toBe('"attempt_id" is missing.');
    expect(errorOf(await raw('{"constructor":{"prototype":{"attempt_id":"polluted"}}}')).message).toBe('"attempt_id" is missing.');
    expect(Object.hasOwn(Object.prototype, "attempt_id")).toBe(false);
  });

  it("fields are read as what they are", () => {
    expect([
      textField({ a: "b" }, "a"), textField({ a: null }, "a"), textField({}, "toString"), flagField({ a: false }, "a"), integerField({ a: 3 }, "a"),
    ]).toEqual(["b", undefined, undefined, false, 3]);
    for (const read of [() => flagField({ a: 1 }, "a"), () => integerField({ a: 1.5 }, "a"), () => neededText({ a: "  " }, "a")]) expect(read).toThrow(AppError);
  });
});

describe("how much, and for how long", () => {
  it("an announced body above 64 KiB is 413, unread", async () => {
    const text = await ask(kit.port, head(kit.port, `POST ${path}`, { "content-type": "application/json", "content-length": "65537" }));
    expect(errorOf(text)).toMatchObject({ status: 413, code: "too-large" });
    expect(headerOf(text, "connection")).toBe("close");
  });

  it("a chunked body is cut off at 64 KiB", async () => {
    const wire = openWire(kit.port);
    wire.write(head(kit.port, `POST ${path}`, { "content-type": "application/json", "transfer-encoding": "chunked" }));
    for (let index = 0; index < 20; index += 1) wire.write(`1000\r\n${"x".repeat(4096)}\r\n`);
    expect(statusOf(await wire.closed())).toBe(413);
  });

  it("a body that breaks off calls nobody", async () => {
    seen.length = 0;
    const wire = openWire(kit.port);
    wire.write(post(kit.port, path, { attempt_id: "a1" }).slice(0, -3));
    wire.socket.end();
    await wire.closed();
    await expect.poll(() => kit.server.inFlight()).toBe(0);
    expect(seen).toEqual([]);
  });
});
