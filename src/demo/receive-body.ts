// Reads a request body up to a limit, with its digest.
import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";

export type ReceivedBody = {
  readonly bytes: Buffer;
  readonly length: number;
  readonly sha256: string | null;
  /** `too-large` is known before the rest was read; `cut` means that the client left. */
  readonly end: "complete" | "too-large" | "cut";
};

/** Never throws. What comes beyond the limit is read and dropped, so that an early answer arrives. */
export const receiveBody = async (request: IncomingMessage, limit: number, hashed: boolean): Promise<ReceivedBody> => {
  if (Number(request.headers["content-length"] ?? 0) > limit) {
    request.resume();
    return { bytes: Buffer.alloc(0), length: 0, sha256: null, end: "too-large" };
  }
  const hash = hashed ? createHash("sha256") : null;
  const chunks: Buffer[] = [];
  let length = 0;
  const { promise, resolve } = Promise.withResolvers<ReceivedBody["end"]>();
  request.on("data", (chunk: Buffer) => {
    length += chunk.length;
    if (length > limit) return resolve("too-large");
    hash?.update(chunk);
    chunks.push(chunk);
    return undefined;
  });
  request.once("end", () => resolve("complete"));
  request.once("error", () => resolve("cut"));
  request.once("close", () => resolve("cut"));
  const end = await promise;
  return { bytes: Buffer.concat(chunks), length, sha256: end === "complete" ? (hash?.digest("hex") ?? null) : null, end };
};
