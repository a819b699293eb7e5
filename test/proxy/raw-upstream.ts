// An upstream made of bare sockets, for faults that no HTTP library would send. It reads requests just
// well enough to know where they end, and answers what the test writes.
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";

export type RawRequest = {
  readonly socket: Socket;
  /** Request line and fields, as they stood on the wire. */
  readonly head: string;
  /** The body's bytes, without chunk framing. */
  readonly body: Buffer;
};

export type RawUpstream = {
  readonly port: number;
  readonly baseUrl: string;
  readonly requests: readonly RawRequest[];
  connections(): number;
  open(): number;
  /** Resolves as soon as `check` holds; looks at every socket event. */
  until(check: (upstream: RawUpstream) => boolean): Promise<void>;
  close(): Promise<void>;
};

export type RawAnswer = (request: RawRequest, upstream: RawUpstream) => void;

/** `onBytes` is called for every read, before the request is complete. */
export const openRawUpstream = async (answer: RawAnswer, onBytes: (socket: Socket, seen: Buffer) => void = () => {}): Promise<RawUpstream> => {
  const requests: RawRequest[] = [];
  const sockets = new Set<Socket>();
  const waiting = new Set<() => void>();
  let connections = 0;
  const changed = (): void => {
    for (const look of waiting) look();
  };
  const server = createServer({ noDelay: true }, (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => {
      sockets.delete(socket);
      changed();
    });
    let seen = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      seen = Buffer.concat([seen, chunk]);
      onBytes(socket, seen);
      for (let next = readRequest(seen); next !== null; next = readRequest(seen)) {
        seen = seen.subarray(next.length);
        const request = { socket, head: next.head, body: next.body };
        requests.push(request);
        answer(request, upstream);
      }
      changed();
    });
    changed();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const upstream: RawUpstream = {
    port,
    baseUrl: `http://127.0.0.1:${port}`,
    requests,
    connections: () => connections,
    open: () => sockets.size,
    until: (check) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!check(upstream)) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
  return upstream;
};

type Read = { readonly head: string; readonly body: Buffer; readonly length: number };

const readRequest = (seen: Buffer): Read | null => {
  const end = seen.indexOf("\r\n\r\n");
  if (end === -1) return null;
  const head = seen.toString("latin1", 0, end);
  const start = end + 4;
  if (/\r\ntransfer-encoding: chunked/i.test(head)) return readChunked(seen, { head, start });
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
  return seen.length < start + length ? null : { head, body: seen.subarray(start, start + length), length: start + length };
};

const readChunked = (seen: Buffer, { head, start }: { readonly head: string; readonly start: number }): Read | null => {
  const parts: Buffer[] = [];
  let at = start;
  for (;;) {
    const line = seen.indexOf("\r\n", at);
    if (line === -1) return null;
    const size = Number.parseInt(seen.toString("latin1", at, line), 16);
    at = line + 2 + size + 2;
    if (seen.length < at) return null;
    if (size === 0) return { head, body: Buffer.concat(parts), length: at };
    parts.push(seen.subarray(line + 2, line + 2 + size));
  }
};

/** A complete answer with a length. */
export const reply = (status: string, body: string | Buffer, fields: readonly string[] = []): Buffer =>
  Buffer.concat([Buffer.from(`HTTP/1.1 ${status}\r\n${[...fields, `content-length: ${Buffer.byteLength(body)}`].join("\r\n")}\r\n\r\n`, "latin1"), Buffer.from(body)]);

/** The head of a chunked event stream. */
export const streamHead = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

export const chunk = (text: string | Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n`), Buffer.from(text), Buffer.from("\r\n")]);

export const lastChunk = "0\r\n\r\n";
