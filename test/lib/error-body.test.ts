import { describe, expect, it } from "vitest";
import { readErrorBody } from "../../src/lib/error-body.ts";
import { secret } from "../../src/lib/secret.ts";

const nothing = { shape: null, type: null, message: null, requestId: null };

describe("readErrorBody", () => {
  it("reads the envelope of the Messages API with its request id", () => {
    const body = JSON.stringify({ type: "error", error: { type: "overloaded_error", message: "Overloaded" }, request_id: "req_1" });
    expect(readErrorBody(body)).toEqual({ shape: "api", type: "overloaded_error", message: "Overloaded", requestId: "req_1" });
  });

  it("reads an envelope without a type or a sentence as far as it goes", () => {
    expect(readErrorBody('{"error":{"type":"forbidden"}}')).toEqual({ ...nothing, shape: "api", type: "forbidden" });
    expect(readErrorBody('{"error":{}}')).toEqual({ ...nothing, shape: "api" });
    expect(readErrorBody('{"error":{"type":7,"message":["no"]}}')).toEqual({ ...nothing, shape: "api" });
  });

  it("reads the error response of RFC 6749 section 5.2, the link after the sentence", () => {
    expect(readErrorBody('{"error":"invalid_grant","error_description":"Refresh token expired"}')).toEqual({ ...nothing, shape: "oauth", type: "invalid_grant", message: "Refresh token expired" });
    expect(readErrorBody('{"error":"slow_down"}')).toEqual({ ...nothing, shape: "oauth", type: "slow_down" });
    expect(readErrorBody('{"error":"invalid_scope","error_description":"No","error_uri":"https://docs.example/e"}').message).toBe("No (https://docs.example/e)");
    expect(readErrorBody('{"error":"invalid_scope","error_uri":"https://docs.example/e"}').message).toBe("invalid_scope (https://docs.example/e)");
  });

  it.each([null, "", "<h1>Bad gateway</h1>", "upstream connect error", "null", "[]", '"error"', "{}", '{"error":""}', '{"error":null}', '{"error":["x"]}', '{"message":"hello"}', '{"error":{'])(
    "shows nothing of a body of any other form: %j",
    (body) => {
      expect(readErrorBody(body)).toEqual(nothing);
    },
  );

  it("puts stars in the place of the secrets of the request, in whatever shape they are, and of tokens and addresses", () => {
    const sent = [secret("opaque-refresh-token-1"), secret("käse+geheim")];
    const message = `opaque-refresh-token-1 and ${encodeURIComponent("käse+geheim")} and sk-ant-ort01-LEAK of dana@example.com`;
    for (const body of [{ error: { type: "x", message } }, { error: "x", error_description: message }]) {
      expect(readErrorBody(JSON.stringify(body), { sent }).message).toBe("*** and *** and *** of d…@…");
    }
    const quoting = readErrorBody(JSON.stringify({ error: "opaque-refresh-token-1", error_uri: "https://e/opaque-refresh-token-1", request_id: "opaque-refresh-token-1" }), { sent });
    expect(JSON.stringify(quoting)).not.toContain("opaque");
  });

  it("makes text harmless for a terminal and cuts it where the caller says", () => {
    const body = JSON.stringify({ error: { type: `t\u001b[2J${"x".repeat(200)}`, message: `\u009b31m${"y".repeat(5000)}` }, request_id: "r".repeat(500) });
    const read = readErrorBody(body);
    expect(read.type).toMatch(/^t·\[2Jx+…$/);
    expect([read.type, read.message, read.requestId].map((text) => text?.length)).toEqual([80, 300, 80]);
    expect(readErrorBody(JSON.stringify({ error: "e".repeat(200) })).type).toHaveLength(80);
    expect(readErrorBody(body, { longest: 2000 }).message).toMatch(/^·31my{1995}…$/);
  });
});
