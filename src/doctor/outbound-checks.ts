// The way out as far as it can be seen from here: base URL, outbound proxy, certificates. Nobody is
// called. A proxy's user and password are never shown.
import { exemptByNoProxy } from "../app/outbound-plan.ts";
import type { OutboundPlan } from "../app/outbound-plan.ts";
import type { Environment } from "../cli/context.ts";
import { certificatesIn } from "./certificates.ts";
import type { Certificates } from "./certificates.ts";
import { ok, problem, warning } from "./finding.ts";
import type { Finding } from "./finding.ts";
import type { Machine } from "./machine.ts";

export type OutboundWish = {
  readonly plan: OutboundPlan;
  readonly environment: Environment;
  readonly caFile: string | null;
  readonly now: number;
  readonly readText: Machine["readText"];
};

export const outboundChecks = async (wish: OutboundWish): Promise<readonly Finding[]> => [
  planCheck(wish.plan),
  noProxyCheck(wish.environment),
  await caFileCheck(wish),
  await extraCaCheck(wish),
  tlsCheck(wish.environment),
];

const planCheck = (plan: OutboundPlan): Finding => {
  if (!plan.ok) return problem("outbound", plan.message, plan.hint);
  if (plan.hop === null) return ok("outbound", `${plan.origin}, directly (not called)`);
  return ok("outbound", `${plan.origin} through ${plan.hop.shown} (${plan.hop.source}); neither was called`);
};

const proxyNames = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

const noProxyCheck = (environment: Environment): Finding => {
  const set = proxyNames.filter((name) => environment[name]);
  if (set.length === 0) return ok("no_proxy", "no outbound proxy in the environment");
  // Clients differ in which spelling they read: each one that is set has to cover loopback.
  const lists = ["NO_PROXY", "no_proxy"].flatMap((name) => (environment[name] ? [environment[name]] : []));
  const covered = lists.length > 0 && lists.every((list) => ["127.0.0.1", "localhost"].every((host) => exemptByNoProxy(list, host)));
  if (covered) return ok("no_proxy", `${set.join(", ")} set, loopback is left out`);
  return warning("no_proxy", `${set.join(", ")} set, and NO_PROXY does not name loopback: clients would send our requests to that proxy`, 'Set NO_PROXY=127.0.0.1,localhost (eval "$(claude-oauth-proxy env)" does).');
};

const caFileCheck = async ({ caFile, readText, now }: OutboundWish): Promise<Finding> => {
  if (caFile === null) return ok("ca file", "none: the system's and Node's certificate authorities");
  const certificates = certificatesIn(await readText(caFile));
  const unusable = faultOf(certificates);
  if (unusable !== null) return problem("ca file", `${caFile}: ${unusable}`, "upstream.caFile must name a PEM file with certificates.");
  return expiredOr("ca file", caFile, { certificates, now });
};

const extraCaCheck = async ({ environment, readText, now }: OutboundWish): Promise<Finding> => {
  const path = environment["NODE_EXTRA_CA_CERTS"];
  if (path === undefined || path === "") return ok("extra CAs", "NODE_EXTRA_CA_CERTS is not set");
  const certificates = certificatesIn(await readText(path));
  const unusable = faultOf(certificates);
  // Node itself goes on without them.
  if (unusable !== null) return warning("extra CAs", `NODE_EXTRA_CA_CERTS=${path}: ${unusable}`, "Name a PEM file with certificates, or unset it.");
  return expiredOr("extra CAs", path, { certificates, now });
};

const faultOf = (certificates: Certificates | null): string | null => {
  if (certificates === null) return "it cannot be read";
  if (certificates.broken > 0) return `${certificates.broken} of the certificates in it cannot be parsed`;
  return certificates.ends.length === 0 ? "there is no certificate in it" : null;
};

const expiredOr = (name: string, path: string, { certificates, now }: { readonly certificates: Certificates | null; readonly now: number }): Finding => {
  const ends = certificates?.ends ?? [];
  const expired = ends.filter((end) => end < now).length;
  const found = `${path}: ${ends.length === 1 ? "1 certificate" : `${ends.length} certificates`}, ${expired} expired`;
  // A system's bundle always holds a few that have.
  return expired === ends.length ? warning(name, found, "Replace it by one that is still valid.") : ok(name, found);
};

const tlsCheck = (environment: Environment): Finding =>
  environment["NODE_TLS_REJECT_UNAUTHORIZED"] === "0"
    ? problem("tls checks", "NODE_TLS_REJECT_UNAUTHORIZED=0: the program refuses to start", "Unset it; name your own certificate authority with upstream.caFile.")
    : ok("tls checks", "on");
