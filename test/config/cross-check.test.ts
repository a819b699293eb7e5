// Settings that are each fine and dangerous together.
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";

const set = (...pairs: string[]) => loadConfig({ flags: [], set: pairs, environment: {}, file: null });
const why = (...pairs: string[]): string => {
  const result = set(...pairs);
  return result.ok ? "" : result.problems.join("\n");
};

const required = (...pairs: string[]): boolean | null => {
  const result = set("mode=pass-through", ...pairs);
  return result.ok ? result.config.auth.required : null;
};

describe("the network", () => {
  it("a host beyond loopback without a required key does not start", () => {
    expect(why("server.host=0.0.0.0", "auth.required=false")).toContain("everybody in the network could use it");
    expect(why("server.host=0.0.0.0")).toBe("");
    expect(why("server.host=127.0.0.2", "auth.required=false")).toBe("");
    expect(why("server.host=::1", "auth.required=false")).toBe("");
    expect(why("server.host=localhost.example", "auth.required=false")).not.toBe("");
    expect(why("server.host=127.0.0.1.example", "auth.required=false")).not.toBe("");
  });

  it("pass-through asks for no key on loopback by default, and for one anywhere else", () => {
    expect(required()).toBe(false);
    expect(required("auth.required=true")).toBe(true);
    expect(required("server.host=0.0.0.0")).toBe(true);
    expect(required("server.host=0.0.0.0", "auth.required=false")).toBe(null);
  });

  it.each(["upstream.baseUrl", "oauth.tokenUrl", "oauth.authorizeUrl", "oauth.consoleAuthorizeUrl", "oauth.redirectUri"])("%s over http: is refused beyond this machine (S19)", (key) => {
    expect(why(`${key}=http://api.example.com`)).toContain(`${key} from --set is an http: URL to another machine`);
    expect(why(`${key}=http://127.0.0.1:9999`)).toBe("");
    expect(why(`${key}=http://[::1]:9999`)).toBe("");
    expect(why(`${key}=http://localhost.example.com`)).not.toBe("");
  });

  it("the upstream is an origin: no path, no query, no password", () => {
    expect(why("upstream.baseUrl=https://api.example.com/v1")).toContain("scheme, host and port only");
    expect(why("upstream.baseUrl=https://api.example.com?x=1")).not.toBe("");
    expect(why("upstream.baseUrl=https://me:canary@api.example.com")).toContain("has a user name or password");
    expect(why("upstream.baseUrl=https://me:canary@api.example.com")).not.toContain("canary");
    expect(why("upstream.baseUrl=https://me@api.example.com")).toContain("has a user name or password");
    expect(why("oauth.tokenUrl=https://:canary@id.example.com/token")).toContain("has a user name or password");
  });

  it("an outbound proxy may be http: and may have a password", () => {
    expect(why("upstream.proxy=http://me:word@proxy.example:3128")).toBe("");
  });

  it("web origins and host names are written as such, never as a pattern", () => {
    expect(why("server.allowedOrigins=*")).toContain("no *");
    expect(why("server.allowedOrigins=https://example.com/")).not.toBe("");
    expect(why("server.allowedOrigins=null")).not.toBe("");
    expect(why("server.allowedOrigins=https://example.com:8443,http://localhost:3000")).toBe("");
    expect(why("server.allowedHosts=box.example:4001,[::1]:4001,10.0.0.7")).toBe("");
    expect(why("server.allowedHosts=http://box.example")).not.toBe("");
    expect(why("server.allowedHosts=*.example")).not.toBe("");
    expect(why("server.host=http://127.0.0.1:80")).toContain("without scheme and port");
  });
});
