// The port, the way out and the clients: checked without a call, and without showing a password or key.
import { describe, expect, it } from "vitest";
import { outboundPlan } from "../../src/app/inspect.ts";
import type { Running } from "../../src/cli/running.ts";
import { certificatesIn, clientChecks, outboundChecks, portCheck, proxyFileCheck } from "../../src/doctor/network-checks.ts";
import { secret } from "../../src/lib/secret.ts";
import { selfSigned } from "../demo/certificate.ts";

const health = { status: "ok", version: "1.2.3", uptime_seconds: 1, mode: "oauth", accounts: [], in_flight: 0, requests_total: 0 };
const url = "http://127.0.0.1:4001";
const portStatus = (running: Running, fault: string | null = null, port = 4001) => portCheck({ host: "127.0.0.1", port, running, fault }).status;
const portFault = (fault: string) => portCheck({ host: "127.0.0.1", port: 80, running: { is: "none" }, fault });
const strangerFound = (is: "other-folder" | "foreign") => portCheck({ host: "127.0.0.1", port: 4001, running: { is, url }, fault: null }).found;

describe("the port", () => {
  it("free and ours are fine, another folder's is a warning, another program's is a problem", () => {
    expect([portStatus({ is: "none" }), portStatus({ is: "none" }, null, 0), portStatus({ is: "ours", url, health })]).toEqual(["ok", "ok", "ok"]);
    expect([portStatus({ is: "other-folder", url }), portStatus({ is: "foreign", url })]).toEqual(["warning", "problem"]);
  });

  it("says of what has not proved itself that it is something else, whatever it calls itself (S3)", () => {
    expect(strangerFound("foreign")).toBe("127.0.0.1:4001: something else answers on this port; it did not prove that it knows our local key");
    expect(strangerFound("other-folder")).toContain("something else answers on this port; it refuses our local key");
  });

  it("proxy.json names the processes, or why it is not used", () => {
    const proxy = { pid: 77, url, forOneCommand: false, holdsOtherEnd: () => null };
    expect(proxyFileCheck({ proxies: [], reason: null })).toMatchObject({ status: "ok", found: "no proxy of this folder runs" });
    expect(proxyFileCheck({ proxies: [proxy, { ...proxy, pid: 78 }], reason: null })).toMatchObject({ status: "ok", found: `process 77 at ${url}, process 78 at ${url}` });
    expect(proxyFileCheck({ proxies: [], reason: "/d/proxy.json is not used: it is not a regular file" })).toMatchObject({ status: "problem", found: expect.stringContaining("/d/proxy.json") });
  });

  it("a port on which nobody may listen says why", () => {
    expect(portFault("EACCES")).toMatchObject({ status: "problem", found: "nobody can listen on 127.0.0.1:80 (EACCES)", advice: expect.stringContaining("1024") });
    expect(portFault("EADDRINUSE").advice).toContain("--port");
    expect(portFault("EADDRNOTAVAIL").advice).toContain("server.host");
  });
});

const now = Date.now();
const files: Record<string, string> = {
  "/good.pem": selfSigned().cert,
  "/old.pem": selfSigned({ from: now - 7_200_000, until: now - 3_600_000 }).cert,
  "/torn.pem": selfSigned().cert.replace(/\n.{20}/, "\n"),
  "/empty.pem": "",
};

type Outbound = { readonly environment?: Record<string, string>; readonly caFile?: string; readonly proxy?: string; readonly baseUrl?: string };

const outbound = async ({ environment = {}, caFile, proxy, baseUrl = "https://api.anthropic.com" }: Outbound) => {
  const plan = outboundPlan({ baseUrl, proxy: proxy ?? null }, environment);
  const findings = await outboundChecks({ plan, environment, caFile: caFile ?? null, now, readText: async (path) => files[path] ?? null });
  return Object.fromEntries(findings.map((finding) => [finding.name, finding]));
};

const noProxyStatus = async (environment: Record<string, string>) => (await outbound({ environment: { https_proxy: "http://p:1", ...environment } }))["no_proxy"]?.status;

describe("the way out", () => {
  it("without anything set is fine", async () => {
    expect(Object.values(await outbound({})).filter(({ status }) => status !== "ok")).toEqual([]);
  });

  it("names the proxy and the variable, never its password", async () => {
    const found = await outbound({ environment: { HTTPS_PROXY: "http://me:hunter2@proxy.corp:3128", NO_PROXY: "localhost,127.0.0.1" } });
    expect(found["outbound"]?.found).toBe("https://api.anthropic.com through http://proxy.corp:3128 (HTTPS_PROXY); neither was called");
    expect(found["no_proxy"]?.status).toBe("ok");
    expect(JSON.stringify(found)).not.toContain("hunter2");
  });

  it("warns when NO_PROXY leaves loopback to the company's proxy, in either spelling", async () => {
    expect(await noProxyStatus({})).toBe("warning");
    expect(await noProxyStatus({ NO_PROXY: "localhost" })).toBe("warning");
    expect(await noProxyStatus({ NO_PROXY: "localhost,127.0.0.1", no_proxy: "corp" })).toBe("warning");
    expect(await noProxyStatus({ no_proxy: "*" })).toBe("ok");
    expect(await noProxyStatus({ no_proxy: "localhost:4001 127.0.0.1:4001" })).toBe("ok");
  });

  it("settings with which the program would not start are problems", async () => {
    expect((await outbound({ baseUrl: "http://api.example" }))["outbound"]?.status).toBe("problem");
    expect((await outbound({ environment: { HTTPS_PROXY: "socks5://p:1" } }))["outbound"]?.status).toBe("problem");
    expect((await outbound({ environment: { NODE_TLS_REJECT_UNAUTHORIZED: "0" } }))["tls checks"]?.status).toBe("problem");
  });

  it("reads the certificates of upstream.caFile", async () => {
    const found = await Promise.all(["/good.pem", "/old.pem", "/torn.pem", "/empty.pem", "/missing.pem"].map((caFile) => outbound({ caFile })));
    expect(found.map((one) => one["ca file"]?.status)).toEqual(["ok", "warning", "problem", "problem", "problem"]);
    expect(found.map((one) => one["ca file"]?.found)).toEqual([
      "/good.pem: 1 certificate, 0 expired",
      "/old.pem: 1 certificate, 1 expired",
      "/torn.pem: 1 of the certificates in it cannot be parsed",
      "/empty.pem: there is no certificate in it",
      "/missing.pem: it cannot be read",
    ]);
  });

  it("NODE_EXTRA_CA_CERTS that Node would ignore is a warning", async () => {
    const found = await Promise.all(["/good.pem", "/torn.pem", "/missing.pem"].map((path) => outbound({ environment: { NODE_EXTRA_CA_CERTS: path } })));
    expect(found.map((one) => one["extra CAs"]?.status)).toEqual(["ok", "warning", "warning"]);
  });
});

describe("certificates", () => {
  it("counts the certificates of a bundle with their ends, and those that cannot be parsed", () => {
    const until = Date.UTC(2030, 0, 1);
    const { cert } = selfSigned({ until });
    const torn = cert.replace(/\n.{20}/, "\n");
    expect(certificatesIn(`# a comment\n${cert}\n${torn}${cert}`)).toEqual({ ends: [until, until], broken: 1 });
    expect(certificatesIn("no certificate")).toEqual({ ends: [], broken: 0 });
    expect(certificatesIn(null)).toBeNull();
  });
});

const key = "cop_local-key-0123456789";
const client = (environment: Record<string, string>, mode: "oauth" | "pass-through" = "oauth") =>
  clientChecks({ environment, config: { mode, auth: { required: true } }, url: "http://127.0.0.1:4001", key: secret(key) });
const warned = (...wish: Parameters<typeof client>) => client(...wish).filter(({ status }) => status === "warning").map(({ name }) => name);

describe("the client's environment", () => {
  it("is fine when empty, and when it is what `env` prints", () => {
    expect(warned({})).toEqual([]);
    expect(warned({ ANTHROPIC_BASE_URL: "http://127.0.0.1:4001", ANTHROPIC_AUTH_TOKEN: key })).toEqual([]);
    expect(warned({ ANTHROPIC_BASE_URL: "http://localhost:4001/" })).toEqual([]);
  });

  it("a base URL that points elsewhere is a warning, without what is secret in it", () => {
    const findings = client({ ANTHROPIC_BASE_URL: "https://me:hunter2@gateway.corp/v1?token=x" });
    expect(findings[0]).toMatchObject({ status: "warning", found: "ANTHROPIC_BASE_URL=https://gateway.corp: not this proxy (http://127.0.0.1:4001)" });
    expect(warned({ ANTHROPIC_BASE_URL: "http://127.0.0.1:4002" })).toEqual(["base url"]);
    expect(warned({ ANTHROPIC_BASE_URL: "nonsense" })).toEqual(["base url"]);
  });

  it("an API key, a foreign token and another provider get in the way", () => {
    const environment = { ANTHROPIC_API_KEY: "sk-ant-api03-canary", ANTHROPIC_AUTH_TOKEN: "canary-token", CLAUDE_CODE_USE_BEDROCK: "1" };
    expect(warned(environment)).toEqual(["api key", "auth token", "provider"]);
    expect(JSON.stringify(client(environment))).not.toContain("canary");
    expect(warned({ ANTHROPIC_API_KEY: key })).toEqual([]);
    expect(warned({ ANTHROPIC_AUTH_TOKEN: "their-own" }, "pass-through")).toEqual([]);
  });

  it("settings files are mentioned, not read", () => {
    expect(client({}).at(-1)).toMatchObject({ name: "settings files", status: "ok" });
  });
});
