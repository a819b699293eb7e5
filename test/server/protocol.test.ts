// One request at a time over a bare socket: what HTTP asks of a server, and what this one refuses.
import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { answers, ask, bodyOf, errorOf, head, headerOf, isWhole, key, openWire, post, startServer, statusOf } from "./kit.ts";

let kit: Awaited<ReturnType<typeof startServer>>;
beforeAll(async () => { kit = await startServer(); });
afterAll(() => kit.close());
beforeEach(() => { kit.forwards.length = 0; kit.events.length = 0; });

const refused = async (bytes: string, statuses: readonly number[]): Promise<string> => {
  const text = await ask(kit.port, bytes);
  expect(statuses).toContain(statusOf(text));
  expect(kit.forwards).toEqual([]);
  return text;
};

describe("Host", () => {
  it("two Host headers are refused (P4)", async () => {
    await refused(`GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1:${kit.port}\r\nHost: evil.example\r\nx-api-key: ${key}\r\n\r\n`, [400]);
    await refused(`GET /health HTTP/1.1\r\nHost: 127.0.0.1:${kit.port}\r\nhOST: 127.0.0.1:${kit.port}\r\n\r\n`, [400]);
  });

  it("a second Host behind thousands of other fields is still seen (P4)", async () => {
    const many = Array.from({ length: 2500 }, (_, index) => `a${index}: b\r\n`).join("");
    await refused(`GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1:${kit.port}\r\nx-api-key: ${key}\r\n${many}Host: evil.example\r\n\r\n`, [400]);
  });

  it("a missing or empty Host is refused (P5)", async () => {
    await refused(`GET /v1/models HTTP/1.1\r\nx-api-key: ${key}\r\n\r\n`, [400]);
    await refused(`GET /v1/models HTTP/1.1\r\nHost:\r\nx-api-key: ${key}\r\n\r\n`, [400]);
    await refused(`GET /v1/models HTTP/1.0\r\nx-api-key: ${key}\r\n\r\n`, [400]);
  });
});

const line = (target: string, method = "GET"): string => head(kit.port, `${method} ${target}`);

describe("request target", () => {
  it("an absolute target is refused, whatever it names (P6)", async () => {
    await refused(line("http://evil.example/v1/messages"), [400]);
    await refused(head(kit.port, "GET http://evil.example/v1/messages", { host: "evil.example" }), [400]);
    await refused(line(`http://127.0.0.1:${kit.port}/v1/messages`), [400]);
  });

  it("a target that names a host by slashes is refused (P7)", async () => {
    for (const target of ["//evil.example/x", "//evil.example/v1/messages", "/\\evil.example", "/\\evil.example/v1/x", "///v1/messages"]) await refused(line(target), [400, 404]);
  });

  it("dot segments and empty segments, encoded or not, are not found and never normalised (P8)", async () => {
    for (const target of [
      "/v1/../x", "/v1/%2e%2e/x", "/v1/%2F..", "/v1//messages", "/v1/.%2e/x", "/v1/./messages", "/v1/%2e/messages", "/v1/messages/..",
      "/v1/%5c..%5cx", "/v1/%252e%252e/x", "/v1/..;/x", "/x/../v1/messages",
    ]) {
      await refused(line(target), [404]);
    }
  });

  it("the upstream's sign-in paths and everything outside the table are not found (S25)", async () => {
    for (const target of [
      "/v1/oauth/token", "/v1/oauth", "/v1/OAuth/token", "/v1/%6fauth/token", "/v1/oauth;x/token", "/v2/messages", "/v1", "/api/oauth/profile",
      "/api/claude_cli", "/V1/messages", "/%76%31/messages",
    ]) {
      const text = await refused(line(target, "POST"), [404]);
      expect(errorOf(text)).toMatchObject({ code: "not-found", type: "not_found_error", message: "There is no such path here." });
    }
  });

  it("the path is decided on as it came, and the query is nobody's business here (S24, P22)", async () => {
    await ask(kit.port, head(kit.port, "GET /v1/models?beta=true&a=%2F..%2f&b=//;http://evil.example"));
    expect(kit.forwards.map(({ request }) => request.url)).toEqual(["/v1/models?beta=true&a=%2F..%2f&b=//;http://evil.example"]);
  });

  it("a fragment is refused", async () => {
    await refused(line("/v1/models#x"), [400]);
  });
});

describe("methods that are not served", () => {
  it("CONNECT gets an answer, then the connection is closed (P9)", async () => {
    const wire = openWire(kit.port);
    wire.write("CONNECT api.anthropic.com:443 HTTP/1.1\r\nHost: api.anthropic.com:443\r\n\r\n");
    const text = await wire.closed();
    expect(statusOf(text)).toBe(405);
    expect(headerOf(text, "connection")).toBe("close");
    expect(errorOf(text).code).toBe("method-not-allowed");
  });

  it("what comes behind the last answer of a connection is thrown away, CONNECT too", async () => {
    const socket = connect({ port: kit.port, host: "127.0.0.1", allowHalfOpen: true });
    let text = "";
    socket.setEncoding("latin1").on("data", (chunk: string) => { text += chunk; });
    socket.write("GET /v1/models HTTP/1.1\r\n\r\n");
    await once(socket, "end");
    socket.end(`${head(kit.port, "GET /v1/models")}CONNECT api.anthropic.com:443 HTTP/1.1\r\nHost: api.anthropic.com:443\r\n\r\n`);
    await once(socket.on("error", () => {}), "close");
    expect(answers(text).map(statusOf)).toEqual([400]);
    expect(kit.forwards).toEqual([]);
  });

  it("TRACE is refused and the connection closed (P10)", async () => {
    const wire = openWire(kit.port);
    wire.write(head(kit.port, "TRACE /v1/messages"));
    expect(statusOf(await wire.closed())).toBe(405);
    expect(kit.forwards).toEqual([]);
  });

  it("an asterisk as target is refused (P10)", async () => {
    await refused(head(kit.port, "OPTIONS *"), [400, 405]);
    await refused(head(kit.port, "GET *"), [400, 405]);
  });

  it("an own path says which methods it knows", async () => {
    const text = await refused(head(kit.port, "POST /health"), [405]);
    expect(headerOf(text, "allow")).toBe("GET, HEAD");
  });
});

const upgrade = (protocol: string, more = ""): string => head(kit.port, "GET /v1/messages", { connection: `upgrade${more}`, upgrade: protocol });

describe("upgrades", () => {
  it("websocket, h2c and TLS are ignored: the request is answered as if it had not asked (P11)", async () => {
    for (const bytes of [upgrade("websocket"), upgrade("h2c", ", HTTP2-Settings"), upgrade("TLS/1.0")]) {
      const wire = openWire(kit.port);
      wire.write(bytes);
      const text = await wire.closed();
      expect(answers(text).map(statusOf)).toEqual([200]);
      expect(headerOf(text, "connection")).toBe("close");
    }
    expect(kit.forwards).toHaveLength(3);
  });

  it("a POST with a body that asks for h2c, as curl --http2 sends it, is forwarded with its body", async () => {
    const text = await ask(kit.port, post(kit.port, "/v1/messages", { a: 1 }, { connection: "Upgrade, HTTP2-Settings", upgrade: "h2c", "http2-settings": "AAMAAABkAAQ" }));
    expect(statusOf(text)).toBe(200);
    expect(kit.forwards).toHaveLength(1);
  });

  it("a WebSocket handshake from a foreign page is refused (S9)", async () => {
    const wire = openWire(kit.port);
    wire.write(head(
      kit.port, "GET /events",
      { connection: "Upgrade", upgrade: "websocket", origin: "https://evil.example", "sec-websocket-version": "13", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==" },
    ));
    expect(statusOf(await wire.until(isWhole))).toBe(403);
    wire.socket.destroy();
  });

  it("knowledge of HTTP/2 is refused (P11)", async () => {
    await refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [400]);
  });
});

describe("Expect", () => {
  it("100-continue with 5 MB: one 100, one final answer (P12)", async () => {
    const wire = openWire(kit.port);
    const body = "x".repeat(5_000_000);
    wire.write(head(kit.port, "POST /v1/messages", { expect: "100-continue", "content-length": String(body.length) }));
    await wire.until((text) => text.includes("100 Continue"));
    expect(kit.forwards).toHaveLength(1);
    wire.write(body);
    const text = await wire.until((seen) => seen.includes("forwarded"));
    expect(answers(text).map(statusOf)).toEqual([100, 200]);
    wire.socket.destroy();
  });

  it("nobody is asked for a body that is refused (P12)", async () => {
    const text = await refused(head(kit.port, "POST /v1/messages", { "x-api-key": "wrong", expect: "100-continue", "content-length": "5" }), [401]);
    expect(text).not.toContain("100 Continue");
  });

  it("an unknown expectation is 417 (P13)", async () => {
    const text = await refused(head(kit.port, "POST /v1/messages", { expect: "102-tea", "content-length": "0" }), [417]);
    expect(errorOf(text).code).toBe("expectation-failed");
  });
});

describe("messages on one connection", () => {
  it("HEAD has the header fields of GET, no body, and leaves the connection usable (P14)", async () => {
    const wire = openWire(kit.port);
    wire.write(head(kit.port, "HEAD /health") + head(kit.port, "HEAD /") + head(kit.port, "HEAD /api/hello") + head(kit.port, "GET /api/hello"));
    const text = await wire.until((seen) => seen.includes('{"ok":true}'));
    const all = answers(text);
    expect(all.map(statusOf)).toEqual([503, 200, 200, 200]);
    expect(all.slice(0, 3).map(bodyOf)).toEqual(["", "", ""]);
    expect(Number(headerOf(all[0] ?? "", "content-length"))).toBeGreaterThan(0);
    wire.socket.destroy();
  });

  it("HEAD with a body that is refused unread gets the head of the refusal, and the connection is closed", async () => {
    const wire = openWire(kit.port);
    wire.write(head(kit.port, "HEAD /v1/models", { "x-api-key": null, "content-length": "5" }));
    const text = await wire.closed();
    expect([statusOf(text), bodyOf(text)]).toEqual([401, ""]);
  });

  it("204 has neither body nor length, and the next request is answered (P15)", async () => {
    const wire = openWire(kit.port);
    wire.write(post(kit.port, "/api/event_logging/v2/batch", { events: [] }) + head(kit.port, "GET /api/hello"));
    const all = answers(await wire.until((seen) => seen.includes('{"ok":true}')));
    expect(all.map(statusOf)).toEqual([204, 200]);
    expect(headerOf(all[0] ?? "", "content-length")).toBeUndefined();
    expect(bodyOf(all[0] ?? "")).toBe("");
    wire.socket.destroy();
  });

  it("GET with a body is forwarded with it (P29)", async () => {
    const bodies: string[] = [];
    await using own = await startServer({ forward: ({ request, response }) => { request.on("data", (piece: Buffer) => bodies.push(piece.toString())).on("end", () => response.end("ok")); } });
    await ask(own.port, `${head(own.port, "GET /v1/models", { "content-length": "5" })}hello`);
    expect(bodies.join("")).toBe("hello");
  });

  it("requests in one packet are answered in order, also when the second is refused", async () => {
    const wire = openWire(kit.port);
    wire.write(head(kit.port, "GET /v1/models") + head(kit.port, "GET /v1/models", { "x-api-key": "wrong" }) + head(kit.port, "GET /api/hello"));
    const all = answers(await wire.until((seen) => seen.includes('{"ok":true}')));
    expect(all.map(statusOf)).toEqual([200, 401, 200]);
    wire.socket.destroy();
  });
});

const padded = (bytes: number): string => {
  const bare = head(kit.port, "GET /v1/models").length;
  return head(kit.port, "GET /v1/models", { "x-pad": "p".repeat(bytes - bare - "x-pad: \r\n".length) });
};

describe("large heads", () => {
  it("60 KiB of fields are forwarded whole (P26)", async () => {
    await ask(kit.port, padded(60 * 1024));
    expect(kit.forwards[0]?.request.headersDistinct["x-pad"]?.[0]?.length).toBeGreaterThan(59 * 1024);
  });

  it("more than 64 KiB is 431, never a hang (P26)", async () => {
    const wire = openWire(kit.port);
    wire.write(padded(200 * 1024));
    const text = await wire.until(isWhole);
    expect(errorOf(text)).toMatchObject({ status: 431, code: "headers-too-large" });
    expect(kit.forwards).toEqual([]);
    wire.socket.destroy();
  });
});
