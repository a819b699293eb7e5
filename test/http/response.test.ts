// Answers as a client reads them, in every framing, and what their writer is told.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { faultOf, readAnswer } from "./bytes.ts";
import { beginAnswer } from "./fake-way.ts";

type Case = { readonly method: string; readonly status: number; readonly version: "1.0" | "1.1"; readonly length: boolean; readonly way: "write" | "end" | "empty" };

const cases: Case[] = ["GET", "HEAD"].flatMap((method) =>
  [200, 204, 304].flatMap((status) =>
    (["1.0", "1.1"] as const).flatMap((version) =>
      [true, false].flatMap((length) => (["write", "end", "empty"] as const).map((way) => ({ method, status, version, length, way }))))),
);

const written = ({ method, status, version, length, way }: Case) => {
  const body = way === "empty" ? "" : "hello";
  const answer = beginAnswer({ method, httpVersion: version, keepAlive: version === "1.1" });
  answer.response.writeHead(status, length ? ["X", "y", "Content-Length", String(body.length)] : ["X", "y"]);
  if (way === "write") answer.response.write("he");
  answer.response.end({ write: "llo", end: body, empty: "" }[way]);
  return { ...answer, body };
};

/** The framing a client may expect, in lines of the head. */
const framingOf = ({ method, status, version, length, way }: Case): string => {
  if (length) return "Content-Length";
  if (method === "HEAD" || status !== 200) return "";
  if (way !== "write") return "Content-Length";
  return version === "1.1" ? "Transfer-Encoding" : "";
};

describe("the framing of an answer", () => {
  it.each(cases)("$method $status in HTTP/$version, with a length: $length, $way", (each) => {
    const { wire, response, body } = written(each);
    const bodiless = each.method === "HEAD" || each.status !== 200;
    const answer = readAnswer(wire(), each.method);
    expect(answer).toMatchObject({ body: Buffer.from(bodiless ? "" : body), rest: Buffer.alloc(0) });
    expect(answer.line).toMatch(new RegExp(`^HTTP/1\\.1 ${each.status} `));
    expect(answer.fields).toContain("X: y");
    // A 204 is the one answer that may have none, not even when its writer knows one.
    if (each.status !== 204) expect(answer.fields.map((field) => field.split(": ")[0]).filter((name) => /length|encoding/i.test(name ?? "")).join("")).toBe(framingOf(each));
    const delimited = !bodiless && framingOf(each) === "";
    expect([response.closeDelimited, response.keepAlive]).toEqual([delimited, each.version === "1.1"]);
    expect(answer.fields.filter((field) => /^(?:connection|keep-alive):/i.test(field))).toEqual(each.version === "1.1" ? ["Connection: keep-alive", "Keep-Alive: timeout=600"] : ["Connection: close"]);
  });

  it("of a 204 has no length, whoever knows one (RFC 9110 section 8.6)", () => {
    const { response, wire } = beginAnswer();
    response.writeHead(204, ["Content-Length", "0"]);
    response.end();
    expect(wire().toString()).not.toMatch(/content-length/i);
  });

  it("closes a connection that would be kept when nothing else ends the body", () => {
    const { response, wire } = beginAnswer({ httpVersion: "1.0", keepAlive: true });
    response.write("a");
    expect(response.keepAlive).toBe(false);
    expect(readAnswer(wire())).toMatchObject({ framing: "close", body: Buffer.from("a") });
    expect(wire().toString()).toContain("Connection: close\r\n");
  });

  it("closes the connection when its writer says so before the head is sent", () => {
    const { response, wire } = beginAnswer();
    response.keepAlive = false;
    response.end("a");
    expect(wire().toString()).toContain("Connection: close\r\n");
    expect(wire().toString()).not.toContain("Keep-Alive");
  });

  it("counts bytes and not characters", () => {
    const { response, wire } = beginAnswer();
    response.end("é→");
    expect(readAnswer(wire())).toMatchObject({ framing: "length", body: Buffer.from("é→"), rest: Buffer.alloc(0) });
  });

  it("is chunked when the head went ahead of the only piece, which may be empty", () => {
    for (const piece of ["a", ""]) {
      const { response, wire } = beginAnswer();
      response.flushHead();
      expect(wire().toString()).toMatch(/\r\n\r\n$/);
      response.flushHead();
      response.end(piece);
      expect(readAnswer(wire())).toMatchObject({ framing: "chunked", body: Buffer.from(piece), rest: Buffer.alloc(0) });
    }
  });

  it("does not end with an empty piece in the middle", () => {
    const { response, wire } = beginAnswer();
    for (const piece of ["", "a", "", "b", Buffer.alloc(0)]) expect(response.write(piece)).toBe(true);
    response.end();
    expect(readAnswer(wire())).toMatchObject({ framing: "chunked", body: Buffer.from("ab"), rest: Buffer.alloc(0) });
  });

  it("keeps every byte, in pieces around the size up to which they are copied", () => {
    const near = fc.integer({ min: 16_380, max: 16_388 });
    const sizes = fc.array(fc.oneof(near, fc.constantFrom(0, 1, 40, 60_000)), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(sizes, fc.constantFrom("chunked", "length", "close"), fc.boolean(), (lengths, framing, endsWithPiece) => {
        const pieces = lengths.map((length, at) => Buffer.from(Uint8Array.from({ length }, (_, index) => index * 31 + at)));
        const whole = Buffer.concat(pieces);
        const { response, wire } = beginAnswer({ httpVersion: framing === "close" ? "1.0" : "1.1" });
        response.writeHead(200, framing === "length" ? ["content-length", String(whole.length)] : []);
        response.flushHead();
        const last = endsWithPiece ? pieces.pop() : undefined;
        for (const piece of pieces) response.write(piece);
        response.end(last);
        const answer = readAnswer(wire());
        expect([answer.framing, answer.body.equals(whole), answer.rest.length]).toEqual([framing, true, 0]);
      }),
      { numRuns: 60 },
    );
  });

  it.each([16_384, 16_385])("keeps every byte of a single piece of %i bytes that comes with the head", (size) => {
    for (const whole of [true, false]) {
      const { response, wire } = beginAnswer();
      const piece = Buffer.from(Uint8Array.from({ length: size }, (_, index) => index));
      if (whole) response.end(piece);
      else {
        response.write(piece);
        response.end();
      }
      expect(readAnswer(wire()).body.equals(piece)).toBe(true);
    }
  });
});

describe("the fields of an answer", () => {
  it("have one Date, unless it is somebody else's answer", () => {
    const own = beginAnswer();
    own.response.writeHead(200, ["a", "b"]);
    own.response.end();
    expect(readAnswer(own.wire()).fields.filter((field) => /^date/i.test(field))).toEqual(["Date: Fri, 02 Jan 2026 12:00:00 GMT"]);
    const relayed = beginAnswer();
    relayed.response.sendDate = false;
    relayed.response.writeHead(200, ["date", "yesterday"]);
    relayed.response.end();
    expect(readAnswer(relayed.wire()).fields.filter((field) => /^date/i.test(field))).toEqual(["date: yesterday"]);
  });

  it("have those that were added before, beside others of the same name", () => {
    const { response, wire } = beginAnswer();
    response.addField("set-cookie", "a=1");
    response.addField("x", "y");
    response.writeHead(200, ["set-cookie", "b=2"]);
    response.end();
    expect(readAnswer(wire()).fields).toEqual(expect.arrayContaining(["set-cookie: a=1", "x: y", "set-cookie: b=2"]));
  });

  it("have those that were added also when nobody writes a head", () => {
    const { response, wire } = beginAnswer();
    response.addField("x", "y");
    response.end("a");
    expect(readAnswer(wire())).toMatchObject({ line: "HTTP/1.1 200 OK", fields: expect.arrayContaining(["x: y"]) as unknown });
  });

  it.each([["x", "a\r\nSet-Cookie: b=1"], ["x", "a\n"], ["x", "\r"], ["x", "a\0"], ["x\r\ny", "a"], ["x\n", "a"], ["x\0", "a"], ["x y", "a"], ["", "a"]])("cannot make two answers of one: %j, %j", (name, value) => {
    const { response, wire } = beginAnswer();
    expect(faultOf(() => response.addField(name, value))).toBe("INVALID_REQUEST");
    expect(faultOf(() => response.writeHead(200, ["a", "b", name, value]))).toBe("INVALID_REQUEST");
    expect(response.headSent).toBe(false);
    response.writeHead(500, []);
    response.end("a");
    expect(readAnswer(wire())).toMatchObject({ line: "HTTP/1.1 500 Internal Server Error", rest: Buffer.alloc(0) });
    expect(wire().toString()).not.toContain("Set-Cookie");
  });
});

describe("what the writer of an answer does wrong", () => {
  it("is a second head: it is told", () => {
    const { response } = beginAnswer();
    expect(response.headSent).toBe(false);
    response.writeHead(200, []);
    expect(response.headSent).toBe(true);
    expect(() => response.writeHead(500, [])).toThrow("sent already");
    const implicit = beginAnswer();
    implicit.response.write("a");
    expect(() => implicit.response.writeHead(500, [])).toThrow("sent already");
  });

  it("is to go on after the end: nothing more is sent", () => {
    const { response, wire, told } = beginAnswer();
    response.write("a");
    response.end("b");
    const before = wire();
    expect(response.write("c")).toBe(true);
    response.end("d");
    response.flushHead();
    response.writeContinue();
    expect(wire().equals(before)).toBe(true);
    expect(told.filter((word) => word === "ended")).toHaveLength(1);
  });

  it("is to go on when the client is gone: nothing is sent, and nobody waits for room", () => {
    const { response, wire, told } = beginAnswer();
    response.close(false);
    expect(response.write("c")).toBe(true);
    response.flushHead();
    response.writeContinue();
    response.end("d");
    response.destroy();
    expect([wire().length, told]).toEqual([0, []]);
  });

  it("is to ask a client of HTTP/1.0 for the body: it does not know that answer", () => {
    const { response, wire } = beginAnswer({ httpVersion: "1.0" });
    response.writeContinue();
    expect(wire().length).toBe(0);
  });

  it("is to ask for the body when the head is out: only before it", () => {
    const { response, wire } = beginAnswer();
    response.writeContinue();
    expect(wire().toString()).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    response.writeHead(200, []);
    response.writeContinue();
    response.end();
    response.writeContinue();
    expect(wire().toString().match(/100 Continue/g)).toHaveLength(1);
    expect(readAnswer(readAnswer(wire()).rest).line).toBe("HTTP/1.1 200 OK");
  });
});

describe("the end of an answer", () => {
  it.each([
    ["more", "2", ["ab", "cd"]],
    ["less", "5", ["ab"]],
    ["no body", "5", []],
    ["as much", "5, 5", ["abcde"]],
  ])("that has %s where its length said %s breaks the connection off: the rest would be the next answer", (_, length, pieces) => {
    const { response, told } = beginAnswer();
    response.writeHead(200, ["content-length", length]);
    for (const piece of pieces) response.write(piece);
    response.end();
    expect(told).toEqual(["destroyed"]);
  });

  it("of a HEAD may announce what it does not send", () => {
    const { response, told } = beginAnswer({ method: "HEAD" });
    response.writeHead(200, ["content-length", "5"]);
    response.end("abcde");
    expect(told[0]).toBe("ended");
  });

  it.each([true, false])("is told to everybody once, finished: %j", (isFinished) => {
    const { response } = beginAnswer();
    const told: unknown[] = [];
    response.onClose(() => void told.push(["first", response.isClosed, response.isFinished]));
    response.onClose(() => void told.push(["second", response.isClosed, response.isFinished]));
    expect(told).toEqual([]);
    response.close(isFinished);
    response.close(!isFinished);
    expect(told).toEqual([["first", true, isFinished], ["second", true, isFinished]]);
    expect(response.isFinished).toBe(isFinished);
  });

  it.each(["a", "", "b".repeat(20_000)])("is told to the connection when all was said, and again when all was handed over", async (last) => {
    for (const begun of [true, false]) {
      const { response, told } = beginAnswer();
      if (begun) response.write("a");
      expect(told).toEqual([]);
      response.end(last);
      expect([response.isEnded, told[0]]).toEqual([true, "ended"]);
      await expect.poll(() => told, { interval: 1 }).toEqual(["ended", "written"]);
    }
  });

  it("is told to a writer that waits for room once", () => {
    const { response } = beginAnswer();
    let drained = 0;
    response.onDrain(() => { drained += 1; });
    response.drained();
    response.drained();
    expect(drained).toBe(1);
  });

  it("is the end of the connection when it is destroyed, before anything was sent or later", () => {
    for (const begun of [false, true]) {
      const { response, told } = beginAnswer();
      if (begun) response.write("a");
      response.destroy();
      expect(told).toEqual(["destroyed"]);
    }
  });
});
