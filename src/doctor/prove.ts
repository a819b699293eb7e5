// All proofs, as a table of contents.
import type { Finding } from "./finding.ts";
import { answerProofs } from "./answer-proofs.ts";
import { credentialProofs } from "./credential-proofs.ts";
import { endingProofs } from "./ending-proofs.ts";
import { failed, play } from "./proof.ts";
import type { Proof } from "./proof.ts";
import { requestProofs } from "./request-proofs.ts";
import { withStage } from "./stage.ts";
import type { StageDeps } from "./stage.ts";
import { streamProofs } from "./stream-proofs.ts";

/** In the order in which they are played. */
export const allProofs: readonly Proof[] = [...requestProofs, ...streamProofs, ...answerProofs, ...endingProofs, ...credentialProofs];

/** One finding per proof. Never throws: a stage that cannot be set up is one finding too. */
export const proveTransparency = async (deps: StageDeps, proofs: readonly Proof[] = allProofs): Promise<readonly Finding[]> => {
  const findings: Finding[] = [];
  try {
    await withStage(deps, async (stage) => {
      for (const proof of proofs) findings.push(await play(stage, proof));
    });
  } catch (error) {
    findings.push(failed("own proxy", error));
  }
  return findings;
};
