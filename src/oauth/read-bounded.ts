// A response body as text, at most 1 MiB of it.
import type { BodyReader } from "./post.ts";

const most = 1024 * 1024;

/** Null when the body is longer than 1 MiB or breaks off: half an answer is no answer. */
export const readBounded = async (reader: BodyReader): Promise<string | null> => {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return Buffer.concat(chunks).toString("utf8");
      if (!(value instanceof Uint8Array)) continue;
      size += value.byteLength;
      if (size > most) break;
      chunks.push(value);
    }
  } catch {
    return null;
  }
  await reader.cancel().catch(() => {});
  return null;
};
