// The table of endpoints against real answers: what it says of who may call is what happens, in every mode.
import { describe, expect, it } from "vitest";
import { openApi } from "../../src/api/openapi.ts";
import { endpoints } from "../../src/server/endpoints.ts";
import type { EndpointSpec } from "../../src/server/endpoints.ts";
import { ask, head, headerOf, isWhole, jsonOf, openWire, startServer, statusOf } from "./kit.ts";

const specs: readonly EndpointSpec[] = endpoints;
const targetOf = (path: string): string => path.replace(/\{\w+\}/, "x");

/** Status and our code; a HEAD answer has no body, so the wire is read up to its head. */
const outcome = async (port: number, method: string, path: string): Promise<string> => {
  const wire = openWire(port);
  wire.write(head(port, `${method} ${targetOf(path)}`, { "x-api-key": null, ...(method === "GET" || method === "HEAD" ? {} : { "content-length": "0" }) }));
  const text = await wire.until((seen) => seen.includes("\r\n\r\n") && (method === "HEAD" || isWhole(seen) || seen.includes("text/event-stream")));
  wire.socket.destroy();
  return statusOf(text) === 401 ? `401 ${headerOf(text, "x-claude-oauth-proxy-error") ?? ""}` : "open";
};

const modes = [
  { mode: "oauth", keyless: false },
  { mode: "oauth", keyless: true },
  { mode: "pass-through", keyless: false },
  { mode: "pass-through", keyless: true },
] as const;

describe("who may call without the key", () => {
  it.each(modes)("in mode $mode, no key needed: $keyless", async ({ mode, keyless }) => {
    await using own = await startServer({ mode, rateLimit: { api: null, auth: null }, ...(keyless ? { key: null } : {}), commands: { canServe: () => true } });
    for (const { path, methods, needs } of [...specs, { path: "/v1/models", methods: ["GET", "POST"], needs: "forwarding" as const }]) {
      const isOpen = needs === "nothing" || (needs === "forwarding" && keyless);
      for (const method of methods) expect(`${method} ${path}: ${await outcome(own.port, method, path)}`).toBe(`${method} ${path}: ${isOpen ? "open" : "401 local-key"}`);
    }
  });
});

describe("/openapi.json", () => {
  it("has every endpoint with its methods, and says of each what opens it", async () => {
    await using own = await startServer();
    const described = jsonOf(await ask(own.port, head(own.port, "GET /openapi.json")));
    expect(described).toEqual(openApi("1.2.3"));
    const paths = described["paths"] as Record<string, Record<string, { security: unknown[] }>>;
    for (const { path, methods, needs } of specs) {
      for (const method of methods) expect(`${path} ${(paths[path]?.[method.toLowerCase()]?.security.length ?? -1) === 0}`).toBe(`${path} ${needs === "nothing"}`);
    }
    expect(Object.keys(paths)).toHaveLength(new Set(specs.map(({ path }) => path)).size + 1);
  });

  it("is not for callers without the key", async () => {
    await using own = await startServer();
    expect(statusOf(await ask(own.port, head(own.port, "GET /openapi.json", { "x-api-key": null })))).toBe(401);
  });
});
