import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { requestHead } from "../../src/proxy/request-head.ts";
import type { HeadParts } from "../../src/proxy/request-head.ts";

const head = (parts: Partial<HeadParts>): string => requestHead({ method: "POST", path: "/v1/messages?beta=true", host: "api.example", headers: [], framing: "none", ...parts });
const refused = expect.objectContaining({ code: "INVALID_REQUEST" });

describe("requestHead", () => {
  it("keeps order, case, duplicates and latin-1, and ends with an empty line", () => {
    expect(head({ headers: ["B", "1", "a", "\u00e9\u0080", "B", ""], framing: 12 })).toBe(
      "POST /v1/messages?beta=true HTTP/1.1\r\nhost: api.example\r\nconnection: keep-alive\r\nB: 1\r\na: \u00e9\u0080\r\nB: \r\ncontent-length: 12\r\n\r\n",
    );
  });

  it.each([
    ["POST", "none", "content-length: 0\r\n"],
    ["GET", "none", ""],
    ["GET", 3, "content-length: 3\r\n"],
    ["POST", "chunked", "transfer-encoding: chunked\r\n"],
  ] as const)("%s with %s is framed as %j", (method, framing, field) => {
    expect(head({ method, framing })).toBe(`${method} /v1/messages?beta=true HTTP/1.1\r\nhost: api.example\r\nconnection: keep-alive\r\n${field}\r\n`);
  });

  it.each([
    ["a method with a blank", { method: "GET /x HTTP/1.1\r\nX:" }],
    ["no method", { method: "" }],
    ["a target with a blank", { path: "/v1 HTTP/1.1" }],
    ["a target that is a URL", { path: "http://other.example/" }],
    ["a name with a colon", { headers: ["x: y", "z"] }],
    ["no name", { headers: ["", "z"] }],
    ["a value with a line break", { headers: ["authorization", "Bearer a\r\nx-api-key: b"] }],
    ["a value with NUL", { headers: ["authorization", "Bearer a\u0000"] }],
    ["a value that is not latin-1", { headers: ["authorization", "Bearer \u0161"] }],
  ])("refuses %s", (_, parts) => {
    expect(() => head(parts)).toThrow(refused);
  });

  it("whatever is in a field, it stays in that field", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (path, name, value) => {
        let text: string;
        try {
          text = head({ path: `/${path}`, headers: [name, value], framing: 1 });
        } catch (error) {
          expect(error).toEqual(refused);
          return;
        }
        expect(text.split(/\r\n|\r|\n/)).toHaveLength(7);
        expect(Buffer.from(text, "latin1").toString("latin1")).toBe(text);
      }),
      { numRuns: 2000 },
    );
  });
});
