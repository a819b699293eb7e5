// Two programs of one person prove to each other that they know the local key, without showing it: before a command
// shows the key to a port, the program there has to prove that it is a proxy of this key. A challenge is a random nonce;
// the proof is HMAC-SHA256 (RFC 2104) under the key over the side, the `Host` that was asked and the nonce. The Host is
// in it so that a program on another port cannot pass a challenge on: a proxy refuses a Host with a foreign port.
import { createHmac } from "node:crypto";
import { base64url } from "./random.ts";
import type { Random } from "./random.ts";
import { sameText } from "./secret.ts";
import type { Secret } from "./secret.ts";

/** The field names of a challenge on `GET /api/hello`; the answer's JSON has the server's proof as `proof`. */
export const nonceHeader = "x-claude-oauth-proxy-nonce";
export const proofHeader = "x-claude-oauth-proxy-proof";

const proof = (key: Secret, side: "client" | "server", { host, nonce }: { readonly host: string; readonly nonce: string }): string =>
  base64url(createHmac("sha256", key.reveal()).update(`claude-oauth-proxy key proof 1\n${side}\n${host.toLowerCase()}\n${nonce}`).digest());

export type KeyChallenge = {
  /** What is sent; the key is not in it. */
  readonly headers: Readonly<Record<string, string>>;
  /** Is it the answer of a program that knows the key? */
  accepts(answer: unknown): boolean;
};

/** A fresh challenge for the proxy that is asked as `host` (name and port). */
export const createKeyChallenge = (key: Secret, { host, random }: { readonly host: string; readonly random: Random }): KeyChallenge => {
  const asked = { host, nonce: base64url(random(24)) };
  const expected = proof(key, "server", asked);
  return {
    headers: { [nonceHeader]: asked.nonce, [proofHeader]: proof(key, "client", asked) },
    accepts: (answer) => typeof answer === "string" && sameText(answer, expected),
  };
};

/** The server's proof; null for a caller that does not know the key, who must not get answers to challenges of his own. */
export const answerKeyChallenge = (key: Secret, challenge: { readonly host: string; readonly nonce: string; readonly proof: string }): string | null =>
  /^[\w-]{22,128}$/.test(challenge.nonce) && sameText(challenge.proof, proof(key, "client", challenge)) ? proof(key, "server", challenge) : null;
