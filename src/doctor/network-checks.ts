// Checks of the network: our port, the way to the upstream, and what in this environment would keep a client from
// using the proxy. Nothing is called, and no credential is shown. Pure, but for the certificate files it is handed a reader for.
import { X509Certificate } from "node:crypto";
import { exemptByNoProxy } from "../app/inspect.ts";
import type { OutboundPlan, ProxiesLook } from "../app/inspect.ts";
import { clientEnvironment, proxyNames } from "../cli/commands/env.ts";
import type { Environment } from "../cli/context.ts";
import { strangerText } from "../cli/running.ts";
import type { Running } from "../cli/running.ts";
import type { Config } from "../config/schema.ts";
import { sameText } from "../lib/secret.ts";
import type { Secret } from "../lib/secret.ts";
import type { Machine } from "./machine.ts";
import { ok, problem, warning } from "./report.ts";
import type { Finding } from "./report.ts";

export type PortFacts = {
  readonly host: string;
  readonly port: number;
  /** Who is at that address. */
  readonly running: Running;
  /** Why this user cannot listen there (a system error code), null when it is possible. */
  readonly fault: string | null;
};

/** proxy.json: which proxies of this folder run, by pid and start time. */
export const proxyFileCheck = ({ proxies, reason }: ProxiesLook): Finding => {
  if (reason !== null) return problem("proxy.json", reason, "Look who put it there, then remove it.");
  return ok("proxy.json", proxies.length === 0 ? "no proxy of this folder runs" : proxies.map(({ pid, url }) => `process ${pid} at ${url}`).join(", "));
};

/** The port: free, ours or another program's, and whether this user may listen there at all. */
export const portCheck = ({ host, port, running, fault }: PortFacts): Finding => {
  const place = `${host}:${port}`;
  if (port === 0) return ok("port", "0: any free one");
  switch (running.is) {
    case "ours":
      return ok("port", `${running.url}: our proxy runs there (version ${running.health.version}, ${running.health.mode})`);
    case "other-folder":
      return warning("port", `${place}: ${strangerText(running, "on this port")}`, "If that one is yours, use its --dir. Otherwise another port: --port 0");
    case "foreign":
      return problem("port", `${place}: ${strangerText(running, "on this port")}`, "Choose another one: --port 0, or config set server.port N");
    case "none":
      return fault === null ? ok("port", `${place} is free`) : problem("port", `nobody can listen on ${place} (${fault})`, portAdvice(fault));
  }
};

const portAdvice = (fault: string): string => {
  if (fault === "EACCES") return "Ports below 1024 need rights you do not have: choose a higher one.";
  return fault === "EADDRINUSE" ? "Another program holds it: choose another one with --port." : "server.host must be an address of this machine, such as 127.0.0.1.";
};

export type OutboundFacts = {
  readonly plan: OutboundPlan;
  readonly environment: Environment;
  readonly caFile: string | null;
  readonly now: number;
  readonly readText: Machine["readText"];
};

/** The way out: base URL, outbound proxy (never its user and password), certificates. */
export const outboundChecks = async (facts: OutboundFacts): Promise<readonly Finding[]> => [
  planCheck(facts.plan),
  noProxyCheck(facts.environment),
  await caFileCheck(facts),
  await extraCaCheck(facts),
  tlsCheck(facts.environment),
];

const planCheck = (plan: OutboundPlan): Finding => {
  if (!plan.ok) return problem("outbound", plan.message, plan.hint);
  if (plan.hop === null) return ok("outbound", `${plan.origin}, directly (not called)`);
  return ok("outbound", `${plan.origin} through ${plan.hop.shown} (${plan.hop.source}); neither was called`);
};

const noProxyCheck = (environment: Environment): Finding => {
  const set = proxyNames.filter((name) => environment[name]);
  if (set.length === 0) return ok("no_proxy", "no outbound proxy in the environment");
  // Clients differ in which spelling they read: each one that is set has to cover loopback.
  const lists = ["NO_PROXY", "no_proxy"].flatMap((name) => (environment[name] ? [environment[name]] : []));
  const covered = lists.length > 0 && lists.every((list) => ["127.0.0.1", "localhost"].every((host) => exemptByNoProxy(list, host)));
  if (covered) return ok("no_proxy", `${set.join(", ")} set, loopback is left out`);
  return warning("no_proxy", `${set.join(", ")} set, and NO_PROXY does not name loopback: clients would send our requests to that proxy`, 'Set NO_PROXY=127.0.0.1,localhost (eval "$(claude-oauth-proxy env)" does).');
};

const caFileCheck = async ({ caFile, readText, now }: OutboundFacts): Promise<Finding> => {
  if (caFile === null) return ok("ca file", "none: the system's and Node's certificate authorities");
  const certificates = certificatesIn(await readText(caFile));
  const fault = faultOf(certificates);
  if (fault !== null) return problem("ca file", `${caFile}: ${fault}`, "upstream.caFile must name a PEM file with certificates.");
  return expiryCheck("ca file", caFile, { certificates, now });
};

const extraCaCheck = async ({ environment, readText, now }: OutboundFacts): Promise<Finding> => {
  const path = environment["NODE_EXTRA_CA_CERTS"];
  if (path === undefined || path === "") return ok("extra CAs", "NODE_EXTRA_CA_CERTS is not set");
  const certificates = certificatesIn(await readText(path));
  const fault = faultOf(certificates);
  // Node itself goes on without them.
  if (fault !== null) return warning("extra CAs", `NODE_EXTRA_CA_CERTS=${path}: ${fault}`, "Name a PEM file with certificates, or unset it.");
  return expiryCheck("extra CAs", path, { certificates, now });
};

/** `ends` are wall milliseconds, one per certificate that could be parsed. */
export type Certificates = { readonly ends: readonly number[]; readonly broken: number };

const pemBlock = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----(?:(?!-----BEGIN )[\s\S])*?-----END (?:TRUSTED )?CERTIFICATE-----/g;

/** The certificates of a PEM file; null for a file that could not be read. Never throws. */
export const certificatesIn = (text: string | null): Certificates | null => {
  if (text === null) return null;
  const ends = (text.match(pemBlock) ?? []).map(endOf);
  return { ends: ends.filter((end) => end !== null), broken: ends.filter((end) => end === null).length };
};

const endOf = (pem: string): number | null => {
  try {
    return Date.parse(new X509Certificate(pem).validTo);
  } catch {
    return null;
  }
};

const faultOf = (certificates: Certificates | null): string | null => {
  if (certificates === null) return "it cannot be read";
  if (certificates.broken > 0) return `${certificates.broken} of the certificates in it cannot be parsed`;
  return certificates.ends.length === 0 ? "there is no certificate in it" : null;
};

const expiryCheck = (name: string, path: string, { certificates, now }: { readonly certificates: Certificates | null; readonly now: number }): Finding => {
  const ends = certificates?.ends ?? [];
  const expired = ends.filter((end) => end < now).length;
  const found = `${path}: ${ends.length === 1 ? "1 certificate" : `${ends.length} certificates`}, ${expired} expired`;
  // A system's bundle always holds a few that have expired.
  return expired === ends.length ? warning(name, found, "Replace it by one that is still valid.") : ok(name, found);
};

const tlsCheck = (environment: Environment): Finding =>
  environment["NODE_TLS_REJECT_UNAUTHORIZED"] === "0"
    ? problem("tls checks", "NODE_TLS_REJECT_UNAUTHORIZED=0: the program refuses to start", "Unset it; name your own certificate authority with upstream.caFile.")
    : ok("tls checks", "on");

export type ClientFacts = {
  readonly environment: Environment;
  readonly config: Pick<Config, "mode" | "auth">;
  /** Where a client would reach our proxy. */
  readonly url: string;
  /** Null when there is none yet. */
  readonly key: Secret | null;
};

const evalEnv = 'eval "$(claude-oauth-proxy env)", or claude-oauth-proxy run claude';

/** What keeps a client of this shell from using the proxy. Credentials are compared, never shown. */
export const clientChecks = (facts: ClientFacts): readonly Finding[] => [
  baseUrlCheck(facts),
  ...credentialChecks(facts),
  ...providerChecks(facts),
  ok("settings files", "not looked at: an `env` block in Claude Code's settings.json outranks the shell"),
];

const baseUrlCheck = ({ environment, url }: ClientFacts): Finding => {
  const value = environment["ANTHROPIC_BASE_URL"];
  if (value === undefined || value === "") return ok("base url", "ANTHROPIC_BASE_URL is not set in this shell", `For a client here: ${evalEnv}`);
  const origin = URL.parse(value)?.origin ?? null;
  if (origin === null) return warning("base url", "ANTHROPIC_BASE_URL is not a URL", evalEnv);
  if (asLoopback(origin) === asLoopback(new URL(url).origin)) return ok("base url", `ANTHROPIC_BASE_URL=${origin}: this proxy`);
  return warning("base url", `ANTHROPIC_BASE_URL=${origin}: not this proxy (${url})`, evalEnv);
};

const asLoopback = (origin: string): string => origin.replace(/\/\/(?:localhost|\[::1\])(?=:|$)/, "//127.0.0.1");

const credentialChecks = ({ environment, config, key }: ClientFacts): readonly Finding[] => {
  const findings: Finding[] = [];
  const isKey = (name: string): boolean => key !== null && sameText(environment[name] ?? "", key.reveal());
  if (environment["ANTHROPIC_API_KEY"] && !isKey("ANTHROPIC_API_KEY")) {
    findings.push(warning("api key", "ANTHROPIC_API_KEY is set: a client may show it instead of the local key, or ask which to use", "Unset it in the shell of the client."));
  }
  const token = environment["ANTHROPIC_AUTH_TOKEN"];
  if (config.mode === "oauth" && config.auth.required && token && !isKey("ANTHROPIC_AUTH_TOKEN")) {
    findings.push(warning("auth token", "ANTHROPIC_AUTH_TOKEN is not this proxy's local key: requests would get 401", evalEnv));
  }
  return findings.length === 0 ? [ok("client keys", "nothing in the way")] : findings;
};

const providerChecks = ({ environment, config, url, key }: ClientFacts): readonly Finding[] => {
  if (key === null) return [];
  return clientEnvironment({ config, baseUrl: url, key, environment }).warnings.map((text) => warning("provider", text, "Unset it in the shell of the client."));
};
