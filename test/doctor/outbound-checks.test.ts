// The way out: proxy, NO_PROXY and certificates, told without a call and without a password.
import { describe, expect, it } from "vitest";
import { outboundPlan } from "../../src/app/outbound-plan.ts";
import { outboundChecks } from "../../src/doctor/outbound-checks.ts";
import { selfSigned } from "../demo/certificate.ts";

const now = Date.now();
const files: Record<string, string> = {
  "/good.pem": selfSigned().cert,
  "/old.pem": selfSigned({ from: now - 7_200_000, until: now - 3_600_000 }).cert,
  "/torn.pem": selfSigned().cert.replace(/\n.{20}/, "\n"),
  "/empty.pem": "",
};

type Wish = { readonly environment?: Record<string, string>; readonly caFile?: string; readonly proxy?: string; readonly baseUrl?: string };

const checks = async ({ environment = {}, caFile, proxy, baseUrl = "https://api.anthropic.com" }: Wish) => {
  const plan = outboundPlan({ baseUrl, proxy: proxy ?? null }, environment);
  const findings = await outboundChecks({ plan, environment, caFile: caFile ?? null, now, readText: async (path) => files[path] ?? null });
  return Object.fromEntries(findings.map((finding) => [finding.name, finding]));
};

const noProxyStatus = async (environment: Record<string, string>) => (await checks({ environment: { https_proxy: "http://p:1", ...environment } }))["no_proxy"]?.status;

describe("the way out", () => {
  it("without anything set is fine", async () => {
    expect(Object.values(await checks({})).filter(({ status }) => status !== "ok")).toEqual([]);
  });

  it("names the proxy and the variable, never its password", async () => {
    const found = await checks({ environment: { HTTPS_PROXY: "http://me:hunter2@proxy.corp:3128", NO_PROXY: "localhost,127.0.0.1" } });
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
    expect((await checks({ baseUrl: "http://api.example" }))["outbound"]?.status).toBe("problem");
    expect((await checks({ environment: { HTTPS_PROXY: "socks5://p:1" } }))["outbound"]?.status).toBe("problem");
    expect((await checks({ environment: { NODE_TLS_REJECT_UNAUTHORIZED: "0" } }))["tls checks"]?.status).toBe("problem");
  });

  it("reads the certificates of upstream.caFile", async () => {
    const found = await Promise.all(["/good.pem", "/old.pem", "/torn.pem", "/empty.pem", "/missing.pem"].map((caFile) => checks({ caFile })));
    expect(found.map((one) => one["ca file"]?.status)).toEqual(["ok", "warning", "problem", "problem", "problem"]);
  });

  it("NODE_EXTRA_CA_CERTS that Node would ignore is a warning", async () => {
    const found = await Promise.all(["/good.pem", "/torn.pem", "/missing.pem"].map((path) => checks({ environment: { NODE_EXTRA_CA_CERTS: path } })));
    expect(found.map((one) => one["extra CAs"]?.status)).toEqual(["ok", "warning", "warning"]);
  });
});
