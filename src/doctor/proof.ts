// What a proof is: something that runs in the sandbox and gives a figure, or throws the sentence that says what was
// not as it must be. A proof that cannot be carried out to its end has failed.
import type { SeenRequest } from "../demo/journal.ts";
import type { Upstream } from "../demo/upstream.ts";
import type { RawField } from "./raw-client.ts";
import { ok, problem } from "./report.ts";
import type { Finding } from "./report.ts";
import { withSandbox } from "./sandbox.ts";
import type { Sandbox, SandboxDeps } from "./sandbox.ts";

export type Proof = { readonly name: string; readonly prove: (sandbox: Sandbox) => Promise<string> };

/** Carries out `proofs` in order, one finding each. Never throws: a sandbox that cannot be set up is a finding too. */
export const proveAll = async (proofs: readonly Proof[], deps: SandboxDeps): Promise<readonly Finding[]> => {
  const findings: Finding[] = [];
  try {
    await withSandbox(deps, async (sandbox) => {
      for (const proof of proofs) findings.push(await proveOne(sandbox, proof));
    });
  } catch (error) {
    findings.push(failed("own proxy", error));
  }
  return findings;
};

const proveOne = async (sandbox: Sandbox, { name, prove }: Proof): Promise<Finding> => {
  try {
    return ok(name, await prove(sandbox));
  } catch (error) {
    return failed(name, error);
  } finally {
    sandbox.upstream.clearScript();
  }
};

const failed = (name: string, error: unknown): Finding =>
  problem(name, error instanceof Error ? error.message : "it could not be played to its end", "This must not happen: please report it with this line and your Node version.");

/** Throws `otherwise` unless `holds`. */
export const demand = (holds: boolean, otherwise: string): void => {
  if (!holds) throw new Error(otherwise);
};

/** Throws with the place of the first difference. */
export const demandSameBytes = (what: string, found: Buffer, wanted: Buffer): void => {
  if (found.equals(wanted)) return;
  const at = wanted.findIndex((byte, index) => found[index] !== byte);
  throw new Error(`${what} differs from byte ${at === -1 ? wanted.length : at} on (${found.length} instead of ${wanted.length} bytes)`);
};

/** Throws with the first difference between two lists; names the field only, because a value may be a credential. */
export const demandSameFields = (found: readonly string[], wanted: readonly string[]): void => {
  const at = wanted.findIndex((field, index) => found[index] !== field);
  const instead = found[at] === undefined ? "is missing" : nameOf(found[at]) === nameOf(wanted[at]) ? "has another value" : `${nameOf(found[at])} stands there`;
  if (at >= 0) throw new Error(`header ${at + 1} should be ${nameOf(wanted[at])} as it was sent: ${instead}`);
  demand(found.length === wanted.length, `a header was added: ${nameOf(found[wanted.length])}`);
};

const nameOf = (field: string | undefined): string => (field ?? "nothing").split(":")[0] ?? "";

// Each hop frames its own connection (RFC 9110 section 7.6.1), and a server without a clock of its own adds a date.
const hopByHop = new Set(["host", "connection", "keep-alive", "transfer-encoding", "date"]);

/** The fields that have to go through, as comparable text. */
export const endToEnd = (fields: readonly RawField[], besides: readonly string[] = []): readonly string[] =>
  fields.filter(([name]) => !hopByHop.has(name.toLowerCase()) && !besides.includes(name.toLowerCase())).map(([name, value]) => `${name}: ${value}`);

/** The Messages requests that have reached the upstream, in order. */
export const messagesAt = ({ requests }: Upstream): readonly SeenRequest[] => requests.filter(({ target }) => target.startsWith("/v1/messages"));

export const milliseconds = (ms: number): string => `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
