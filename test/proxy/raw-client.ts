// A client made of one bare socket: it sends exactly these bytes and shows exactly what came back.
import { connect } from "node:net";
import type { Socket } from "node:net";

export type RawClient = {
  readonly socket: Socket;
  send(bytes: string | Buffer): void;
  received(): Buffer;
  /** Bytes so far; cheap, for large answers. */
  size(): number;
  text(): string;
  /** Resolves with the text once `check` holds for it; rejects when the connection ends before. */
  until(check: (text: string) => boolean): Promise<string>;
  /** Resolves once so many bytes have come. */
  untilSize(bytes: number): Promise<void>;
  /** `ended` after a FIN, `reset` after an RST. */
  readonly closed: Promise<"ended" | "reset">;
};

export const openRawClient = async (port: number): Promise<RawClient> => {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
  const parts: Buffer[] = [];
  const waiting = new Set<(over: boolean) => void>();
  let failed = false;
  const closed = new Promise<"ended" | "reset">((resolve) => {
    socket.once("end", () => socket.end());
    socket.on("error", () => {
      failed = true;
    });
    socket.once("close", () => {
      for (const look of waiting) look(true);
      resolve(failed ? "reset" : "ended");
    });
  });
  socket.on("data", (data: Buffer) => {
    parts.push(data);
    for (const look of waiting) look(false);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  const size = (): number => parts.reduce((sum, part) => sum + part.length, 0);
  const watch = (check: () => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (over: boolean): void => {
        if (!check()) {
          if (over) reject(new Error(`the connection ended with: ${text().slice(0, 2000)}`));
          return;
        }
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look(socket.destroyed);
    });
  const text = (): string => Buffer.concat(parts).toString("latin1");
  return {
    socket,
    send: (bytes) => void socket.write(bytes),
    received: () => Buffer.concat(parts),
    text,
    size,
    until: async (check) => {
      await watch(() => check(text()));
      return text();
    },
    untilSize: (bytes) => watch(() => size() >= bytes),
    closed,
  };
};

/** A whole request with a body and its length. */
export const post = (body: string | Buffer = "{}", fields: readonly string[] = [], target = "/v1/messages"): Buffer =>
  Buffer.concat([
    Buffer.from([`POST ${target} HTTP/1.1`, "host: 127.0.0.1", ...fields, `content-length: ${Buffer.byteLength(body)}`, "", ""].join("\r\n"), "latin1"),
    Buffer.from(body),
  ]);

export const get = (target = "/v1/models", fields: readonly string[] = [], method = "GET"): string =>
  [`${method} ${target} HTTP/1.1`, "host: 127.0.0.1", ...fields, "", ""].join("\r\n");

/** The body of a received message, chunk framing removed. */
export const bodyOf = (received: Buffer): Buffer => {
  const start = received.indexOf("\r\n\r\n") + 4;
  const head = received.toString("latin1", 0, start);
  if (!/transfer-encoding: chunked/i.test(head)) return received.subarray(start);
  const parts: Buffer[] = [];
  for (let at = start; ; ) {
    const line = received.indexOf("\r\n", at);
    const size = line === -1 ? 0 : Number.parseInt(received.toString("latin1", at, line), 16);
    if (size === 0 || Number.isNaN(size)) return Buffer.concat(parts);
    parts.push(received.subarray(line + 2, line + 2 + size));
    at = line + 2 + size + 2;
  }
};

/** Is a whole message with a length or a last chunk there? */
export const isWhole = (text: string): boolean => {
  const start = text.indexOf("\r\n\r\n") + 4;
  if (start === 3) return false;
  const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, start))?.[1];
  return length === undefined ? text.endsWith("\r\n0\r\n\r\n") : text.length >= start + Number(length);
};
