// What a proof is: something that is played on the stage and gives a figure, or throws the sentence that
// says what was not as it must be. A proof that cannot be played to its end is a failed one.
import type { SeenRequest } from "../demo/journal.ts";
import type { Upstream } from "../demo/upstream.ts";
import { ok, problem } from "./finding.ts";
import type { Finding } from "./finding.ts";
import type { RawField } from "./answer.ts";
import type { Stage } from "./stage.ts";

export type Proof = { readonly name: string; readonly prove: (stage: Stage) => Promise<string> };

const advice = "This must not happen: please report it with this line and your Node version.";

/** Plays one proof. Never throws. */
export const play = async (stage: Stage, { name, prove }: Proof): Promise<Finding> => {
  try {
    return ok(name, await prove(stage));
  } catch (error) {
    return failed(name, error);
  } finally {
    stage.upstream.clearScript();
  }
};

export const failed = (name: string, error: unknown): Finding => problem(name, error instanceof Error ? error.message : "it could not be played to its end", advice);

/** Throws `otherwise` unless `holds`. */
export const demand = (holds: boolean, otherwise: string): void => {
  if (!holds) throw new Error(otherwise);
};

/** The Messages requests that have reached the upstream, in order. */
export const messagesAt = ({ requests }: Upstream): readonly SeenRequest[] => requests.filter(({ target }) => target.startsWith("/v1/messages"));

// Each hop frames its own connection (RFC 9110 section 7.6.1), and a server without a clock of its own adds a date.
const ofTheHop = new Set(["host", "connection", "keep-alive", "transfer-encoding", "date"]);

/** The fields that have to go through, as comparable text. */
export const endToEnd = (fields: readonly RawField[], besides: readonly string[] = []): readonly string[] =>
  fields.filter(([name]) => !ofTheHop.has(name.toLowerCase()) && !besides.includes(name.toLowerCase())).map(([name, value]) => `${name}: ${value}`);

/** A raw header list as pairs. */
export const pairsOf = (raw: readonly string[]): readonly RawField[] =>
  raw.flatMap((name, index): RawField[] => (index % 2 === 0 ? [[name, raw[index + 1] ?? ""]] : []));

/** Throws with the first difference between two lists; names the field only, a value may be a credential. */
export const demandSameFields = (found: readonly string[], wanted: readonly string[]): void => {
  const at = wanted.findIndex((field, index) => found[index] !== field);
  const instead = found[at] === undefined ? "is missing" : nameOf(found[at]) === nameOf(wanted[at]) ? "has another value" : `${nameOf(found[at])} stands there`;
  if (at >= 0) throw new Error(`header ${at + 1} should be ${nameOf(wanted[at])} as it was sent: ${instead}`);
  demand(found.length === wanted.length, `a header was added: ${nameOf(found[wanted.length])}`);
};

const nameOf = (field: string | undefined): string => (field ?? "nothing").split(":")[0] ?? "";

/** Throws with the place of the first difference. */
export const demandSameBytes = (what: string, found: Buffer, wanted: Buffer): void => {
  if (found.equals(wanted)) return;
  const at = wanted.findIndex((byte, index) => found[index] !== byte);
  throw new Error(`${what} differs from byte ${at === -1 ? wanted.length : at} on (${found.length} instead of ${wanted.length} bytes)`);
};

export const milliseconds = (ms: number): string => `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
