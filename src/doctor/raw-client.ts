// A client of bare sockets for the proofs: it sends exactly the given bytes and shows exactly what came back, because
// a client library would smooth over what is to be proved. Loopback only; every wait has an end.
import { connect } from "node:net";
import type { Clock } from "../lib/clock.ts";

export type Connection = {
  send(bytes: Buffer): void;
  received(): Buffer;
  /** Resolves once `holds`; throws an `Error` with `what` when `patienceMs` are over or the connection has ended. */
  until(what: string, holds: () => boolean): Promise<void>;
  /** True once the other side has closed or reset the connection. */
  isClosed(): boolean;
  /** Destroys the socket, as the end of a killed client does. */
  leave(): void;
};

export type ConnectionOptions = { readonly port: number; readonly clock: Clock; readonly patienceMs: number };

/** Throws when nothing listens on `port`. */
export const openConnection = async ({ port, clock, patienceMs }: ConnectionOptions): Promise<Connection> => {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  const parts: Buffer[] = [];
  const waits = new Set<() => void>();
  let closed = false;
  const checkWaits = (): void => {
    for (const check of waits) check();
  };
  socket.on("data", (bytes: Buffer) => {
    parts.push(bytes);
    checkWaits();
  });
  socket.on("error", () => {});
  socket.once("close", () => {
    closed = true;
    checkWaits();
  });
  const until = (what: string, holds: () => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      const end = (failure: string | null): void => {
        timer.cancel();
        waits.delete(check);
        if (failure === null) resolve();
        else reject(new Error(failure));
      };
      const check = (): void => {
        if (holds()) end(null);
        else if (closed) end(`the connection was closed before ${what}`);
      };
      const timer = clock.setTimeout(() => end(`${what} did not come within ${patienceMs / 1000} s`), patienceMs);
      waits.add(check);
      check();
    });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("close", () => reject(new Error("nobody listens")));
  });
  return {
    send: (bytes) => void socket.write(bytes),
    received: () => Buffer.concat(parts),
    until,
    isClosed: () => closed,
    leave: () => void socket.destroy(),
  };
};

export type RawField = readonly [name: string, value: string];

/** An HTTP/1.1 answer (RFC 9112) as it is on the wire: nothing is decoded, joined or forgiven. */
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

/** A raw header list of Node (`name, value, name, …`) as pairs. */
export const pairsOf = (raw: readonly string[]): readonly RawField[] =>
  raw.flatMap((name, index): RawField[] => (index % 2 === 0 ? [[name, raw[index + 1] ?? ""]] : []));

const fieldOf = (line: string): RawField => {
  const at = line.indexOf(":");
  return [line.slice(0, at), line.slice(at + 1).replace(/^[ \t]+|(?<![ \t])[ \t]+$/g, "")];
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
