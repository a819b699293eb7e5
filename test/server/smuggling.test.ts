// Requests whose length or borders two servers could see differently: refused, and never forwarded.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { answers, key, openWire, statusOf, startServer } from "./kit.ts";

let kit: Awaited<ReturnType<typeof startServer>>;
beforeAll(async () => { kit = await startServer(); });
afterAll(() => kit.close());
beforeEach(() => { kit.forwards.length = 0; });

const fields = (): string => `Host: 127.0.0.1:${kit.port}\r\nx-api-key: ${key}\r\n`;
const post = (framing: string, body: string): string => `POST /v1/messages HTTP/1.1\r\n${fields()}${framing}\r\n\r\n${body}`;
const chunked = (body: string): string => post("Transfer-Encoding: chunked", body);

const corpus: Record<string, () => string> = {
  "Content-Length and Transfer-Encoding": () => post("Content-Length: 4\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
  "Transfer-Encoding and Content-Length": () => post("Transfer-Encoding: chunked\r\nContent-Length: 4", "0\r\n\r\n"),
  "two equal Content-Length": () => post("Content-Length: 4\r\nContent-Length: 4", "abcd"),
  "two different Content-Length": () => post("Content-Length: 4\r\nContent-Length: 0", "abcd"),
  "a list as Content-Length": () => post("Content-Length: 4, 4", "abcd"),
  "a signed Content-Length": () => post("Content-Length: +4", "abcd"),
  "a negative Content-Length": () => post("Content-Length: -4", "abcd"),
  "a hexadecimal Content-Length": () => post("Content-Length: 0x4", "abcd"),
  "an empty Content-Length": () => post("Content-Length: ", "abcd"),
  "a Content-Length beyond 64 bits": () => post("Content-Length: 99999999999999999999", "abcd"),
  "a folded field line": () => post("X-Fold: a\r\n b\r\nContent-Length: 4", "abcd"),
  "a folded Transfer-Encoding": () => post("Transfer-Encoding:\r\n chunked", "0\r\n\r\n"),
  "a space before the first field": () => `POST /v1/messages HTTP/1.1\r\n X: y\r\n${fields()}Content-Length: 0\r\n\r\n`,
  "bare LF line ends": () => `GET /v1/models HTTP/1.1\nHost: 127.0.0.1:${kit.port}\nx-api-key: ${key}\n\n`,
  "one bare LF after a field": () => `GET /v1/models HTTP/1.1\r\nX: y\n${fields()}\r\n`,
  "a bare CR in a value": () => `GET /v1/models HTTP/1.1\r\n${fields()}X: a\rb\r\n\r\n`,
  "a space before the colon": () => `GET /v1/models HTTP/1.1\r\nHost : 127.0.0.1:${kit.port}\r\nx-api-key: ${key}\r\n\r\n`,
  "Transfer-Encoding : with a space": () => post("Transfer-Encoding : chunked", "0\r\n\r\n"),
  "an unknown transfer coding": () => post("Transfer-Encoding: xchunked", "0\r\n\r\n"),
  "chunked that is not last": () => post("Transfer-Encoding: chunked, identity", "0\r\n\r\n"),
  "another coding before chunked": () => post("Transfer-Encoding: gzip, chunked", "0\r\n\r\n"),
  "chunked twice": () => post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
  "identity alone": () => post("Transfer-Encoding: identity", ""),
  "a quoted transfer coding": () => post('Transfer-Encoding: "chunked"', "0\r\n\r\n"),
  "a vertical tab before the coding": () => post("Transfer-Encoding: \x0bchunked", "0\r\n\r\n"),
  "Transfer-Encoding in HTTP/1.0": () => chunked("0\r\n\r\n").replace("HTTP/1.1", "HTTP/1.0"),
  "Transfer_Encoding with an underscore": () => post("Transfer_Encoding: chunked\r\nContent-Length: 4", "abcd"),
  "Content_Length with an underscore": () => post("Content_Length: 400\r\nContent-Length: 4", "abcd"),
  "a chunk size that is no number": () => chunked("zz\r\n"),
  "a negative chunk size": () => chunked("-1\r\n"),
  "a chunk size with 0x": () => chunked("0x1\r\na\r\n0\r\n\r\n"),
  "a chunk size beyond 64 bits": () => chunked("fffffffffffffffff\r\na"),
  "chunk lines that end with LF": () => chunked("1\na\n0\n\n"),
  "a chunk longer than its size": () => chunked("1\r\nabc\r\n0\r\n\r\n"),
  "a chunk size with a space before it": () => chunked(" 1\r\na\r\n0\r\n\r\n"),
  "a chunk size with blanks behind it": () => chunked("1 \t\r\na\r\n0\r\n\r\n"),
  "a lone CR inside a chunk extension": () => chunked("1;a\rb\r\na\r\n0\r\n\r\n"),
  "HTTP/2.0 as a version": () => `GET /v1/models HTTP/2.0\r\n${fields()}\r\n`,
  "HTTP/0.9 as a version": () => `GET /v1/models HTTP/0.9\r\n${fields()}\r\n`,
  "HTTP/1.2 as a version": () => `GET /v1/models HTTP/1.2\r\n${fields()}\r\n`,
  "the preface of HTTP/2": () => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "a method in lower case": () => `get /v1/models HTTP/1.1\r\n${fields()}\r\n`,
  "a tab in the request line": () => `GET\t/v1/models HTTP/1.1\r\n${fields()}\r\n`,
  "a NUL in a value (S26)": () => `GET /v1/models HTTP/1.1\r\n${fields()}X: a\0b\r\n\r\n`,
  "a field without a name": () => `GET /v1/models HTTP/1.1\r\n${fields()}: x\r\n\r\n`,
  "a line without a colon": () => `GET /v1/models HTTP/1.1\r\n${fields()}nothing\r\n\r\n`,
  "bytes above ASCII in the target": () => `GET /v1/\xe9 HTTP/1.1\r\n${fields()}\r\n`,
  "noise": () => "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
};

describe("ambiguous requests are refused before anything is forwarded", () => {
  for (const [name, bytes] of Object.entries(corpus)) {
    it(`${name} → 400, then the connection is closed (P2, S26)`, async () => {
      const wire = openWire(kit.port);
      wire.write(bytes());
      const text = await wire.closed();
      expect(statusOf(text)).toBe(400);
      expect(answers(text)).toHaveLength(1);
      expect(text).toContain('"invalid_request_error"');
      expect(kit.forwards).toEqual([]);
    });
  }

  it("more body than announced is a second, broken request: the first is answered, then 400 and the end (P25)", async () => {
    const wire = openWire(kit.port);
    wire.write(`${post("Content-Length: 2", "ab")}surplus\r\n\r\n`);
    const text = await wire.closed();
    expect(answers(text).map(statusOf)).toEqual([200, 400]);
    expect(kit.forwards).toHaveLength(1);
  });

  it("a broken chunk in a later packet aborts the request that was begun (P25)", async () => {
    const wire = openWire(kit.port);
    wire.write(chunked("1\r\na\r\n"));
    await expect.poll(() => kit.forwards.length).toBe(1);
    const aborted = new Promise((resolve) => { kit.forwards[0]?.request.once("error", resolve); });
    wire.write("zz\r\n");
    expect(statusOf(await wire.closed())).toBe(400);
    expect(await aborted).toMatchObject({ name: "AppError", code: "bad-request" });
    expect(kit.forwards[0]?.request.complete).toBe(false);
  });

  it("every refused request for /v1/* has one received and one rejected, and nothing else", async () => {
    kit.events.length = 0;
    const wire = openWire(kit.port);
    wire.write(chunked("zz\r\n"));
    await wire.closed();
    const types = kit.events.map(({ type }) => type).filter((type) => type.startsWith("request."));
    expect(types).toEqual(["request.received", "request.rejected"]);
  });
});
