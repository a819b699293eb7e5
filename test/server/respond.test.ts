// Our own answers, and that they never touch one that has begun.
import { describe, expect, it } from "vitest";
import { createServer } from "node:http";
import type { ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { meanings } from "../../src/messages/errors.ts";
import type { ErrorCode } from "../../src/messages/errors.ts";
import { errorAnswer, respondEmpty, respondError, respondHtml } from "../../src/server/respond.ts";
import { errorOf, headerOf, jsonOf, openWire, statusOf } from "./kit.ts";

const answered = async (answer: (response: ServerResponse) => void): Promise<string> => {
  const server = createServer((_, response) => answer(response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const wire = openWire((server.address() as AddressInfo).port);
  wire.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const text = await wire.closed();
  await new Promise((resolve) => server.close(resolve));
  return text;
};

const refusal = { code: "sign-in-needed", message: "No account can serve.", hint: "Run `claude-oauth-proxy login`.", requestId: "cop-1" } as const;

describe("our own errors", () => {
  it("have the envelope of the Messages API, our code, and the request's name", async () => {
    const text = await answered((response) => respondError(response, refusal));
    expect(jsonOf(text)).toEqual({ type: "error", error: { type: "authentication_error", message: "No account can serve. Run `claude-oauth-proxy login`." }, request_id: "cop-1" });
    expect(errorOf(text)).toMatchObject({ status: 503, code: "sign-in-needed" });
    expect(headerOf(text, "content-type")).toBe("application/json");
    expect(headerOf(text, "request-id")).toBe("cop-1");
  });

  it("exist for every code of the table", () => {
    for (const code of Object.keys(meanings) as ErrorCode[]) {
      const { status, headers } = errorAnswer({ code, message: "m", requestId: "r" });
      expect(status).toBe(meanings[code].status);
      expect(headers["x-claude-oauth-proxy-error"]).toBe(code);
    }
  });

  it("keep the fields that were set before", async () => {
    const text = await answered((response) => {
      response.setHeader("access-control-allow-origin", "https://tools.example");
      respondError(response, { ...refusal, retryAfterSeconds: 7 });
    });
    expect(headerOf(text, "access-control-allow-origin")).toBe("https://tools.example");
    expect(headerOf(text, "retry-after")).toBe("7");
  });

  it("never follow an answer that has begun: that one is cut instead (R9)", async () => {
    const text = await answered((response) => {
      response.write("half");
      setImmediate(() => respondError(response, refusal));
    });
    expect(statusOf(text)).toBe(200);
    expect(text).not.toContain("sign-in-needed");
    expect(text.endsWith("0\r\n\r\n")).toBe(false);
  });

  it("are nothing at all for a client that has left", async () => {
    await answered((response) => {
      response.destroy();
      respondError(response, refusal);
      respondEmpty(response, 204);
    });
  });
});

describe("pages", () => {
  it("come with a policy that lets nothing in from anywhere", async () => {
    const text = await answered((response) => respondHtml(response, 200, { html: "<p>é</p>", nonce: "n0" }));
    const policy = headerOf(text, "content-security-policy") ?? "";
    for (const rule of [
      "default-src 'none'", "script-src 'nonce-n0'", "style-src 'nonce-n0'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
    ]) expect(policy.split("; ")).toContain(rule);
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    expect(headerOf(text, "content-length")).toBe(String(Buffer.byteLength("<p>é</p>")));
  });
});
