// An HTTP/1.1 answer taken apart from the bytes of the wire (RFC 9112): by hand, so that nothing is
// decoded, joined or forgiven. Pure.

export type RawField = readonly [name: string, value: string];

export type Answer = {
  readonly status: number;
  readonly fields: readonly RawField[];
  /** As far as it has come, without the framing. */
  readonly body: Buffer;
  /** Its own framing says that all of it is here. */
  readonly complete: boolean;
};

/** The answer in `bytes`, null while its head is not whole. Interim answers (1xx) are skipped. */
export const readAnswer = (bytes: Buffer): Answer | null => {
  const end = bytes.indexOf("\r\n\r\n");
  if (end === -1) return null;
  const [first = "", ...lines] = bytes.subarray(0, end).toString("latin1").split("\r\n");
  const status = Number(first.split(" ")[1]);
  const rest = bytes.subarray(end + 4);
  if (status < 200) return readAnswer(rest);
  const fields = lines.map(fieldOf);
  return { status, fields, ...bodyOf(fields, rest) };
};

/** The values of `name`, in order. */
export const valuesOf = (fields: readonly RawField[], name: string): readonly string[] =>
  fields.filter(([other]) => other.toLowerCase() === name).map(([, value]) => value);

const fieldOf = (line: string): RawField => {
  const at = line.indexOf(":");
  return [line.slice(0, at), line.slice(at + 1).replace(/^[ \t]+|[ \t]+$/g, "")];
};

const bodyOf = (fields: readonly RawField[], rest: Buffer): Pick<Answer, "body" | "complete"> => {
  if (valuesOf(fields, "transfer-encoding").join().toLowerCase() === "chunked") return dechunked(rest);
  const [length] = valuesOf(fields, "content-length");
  if (length === undefined) return { body: rest, complete: false };
  return { body: rest.subarray(0, Number(length)), complete: rest.length >= Number(length) };
};

const dechunked = (bytes: Buffer): Pick<Answer, "body" | "complete"> => {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const eol = bytes.indexOf("\r\n", at);
    if (eol === -1) return { body: Buffer.concat(parts), complete: false };
    const size = Number.parseInt(bytes.subarray(at, eol).toString("latin1"), 16);
    if (!(size >= 0)) return { body: Buffer.concat(parts), complete: false };
    if (size === 0) return { body: Buffer.concat(parts), complete: bytes.indexOf("\r\n", eol + 2) !== -1 };
    parts.push(bytes.subarray(eol + 2, eol + 2 + size));
    at = eol + 2 + size + 2;
  }
};
