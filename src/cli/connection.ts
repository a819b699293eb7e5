// One connection to a port of this machine, for a few small questions to whatever listens there. All of them go over one
// socket, so the program that has proved itself on it is the one that gets what is sent next. Bounded in time and in
// size: it may be anything.
import { Agent, get } from "node:http";
import type { ClientRequestArgs, IncomingMessage } from "node:http";
import { connect } from "node:net";
import type { Socket } from "node:net";
import type { KnownProxy } from "../app/open-key.ts";
import { bracketed, isLoopback } from "../lib/host.ts";
import { parseJson } from "../lib/json.ts";

export type Question = { readonly headers?: Readonly<Record<string, string>>; readonly maxBytes: number };

/** `body` is undefined when it is not JSON; `errorCode` is the code of an error of our own program. */
export type Answer = { readonly status: number; readonly errorCode: string | null; readonly body: unknown };

export type Connection = {
  /** The name and port that requests carry as `Host`; over loopback the very address that was reached. */
  readonly host: string;
  readonly ends: Parameters<KnownProxy["holdsOtherEnd"]>[0];
  /** GET. Rejects when there is no whole answer within the time limit, or the socket has gone. */
  ask(path: string, question: Question): Promise<Answer>;
  close(): void;
};

/** Rejects as `net.connect` does, or when connecting takes longer than `timeoutMs`, which limits every question too. */
export type Connect = (url: string, timeoutMs: number) => Promise<Connection>;

export const connectTo: Connect = async (url, timeoutMs) => {
  const socket = await openSocket(new URL(url), timeoutMs);
  const { localAddress = "", localPort = 0, remoteAddress = "", remotePort = 0 } = socket;
  const host = isLoopback(remoteAddress) ? `${bracketed(remoteAddress)}:${remotePort}` : new URL(url).host;
  const agent = new OneSocketAgent(socket);
  return {
    host,
    ends: { localAddress, localPort, remoteAddress, remotePort },
    ask: (path, { headers = {}, maxBytes }) =>
      new Promise((resolve, reject) => {
        const signal = AbortSignal.timeout(timeoutMs);
        const receive = (response: IncomingMessage): void => void readAnswer(response, maxBytes).then(resolve, reject);
        get({ agent, path, headers: { host, ...headers }, signal }, receive).on("error", reject);
      }),
    close: () => agent.destroy(),
  };
};

/** Keeps one socket alive over several requests, and never opens a second one. */
class OneSocketAgent extends Agent {
  #unused: Socket | null;
  readonly #socket: Socket;

  constructor(socket: Socket) {
    super({ keepAlive: true, maxSockets: 1 });
    this.#socket = socket;
    this.#unused = socket;
  }

  // Thrown, the error would reach no request that waits for its turn.
  override createConnection(_options: ClientRequestArgs, created?: (error: Error | null, socket: Socket) => void): Socket | undefined {
    const socket = this.#unused;
    this.#unused = null;
    if (socket !== null) return socket;
    created?.(new Error("The connection was closed."), this.#socket);
    return undefined;
  }

  override destroy(): void {
    super.destroy();
    this.#socket.destroy();
  }
}

const openSocket = ({ hostname, port }: URL, timeoutMs: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: hostname.replace(/^\[(.*)\]$/, "$1"), port: port === "" ? 80 : Number(port) });
    socket.setTimeout(timeoutMs, () => socket.destroy(Object.assign(new Error("No connection in time."), { code: "ETIMEDOUT", syscall: "connect" })));
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.setTimeout(0);
      socket.off("error", reject);
      // Between two questions, and after the last one.
      socket.on("error", () => {});
      resolve(socket);
    });
  });

const readAnswer = async (response: IncomingMessage, maxBytes: number): Promise<Answer> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Error("The answer is too long.");
    chunks.push(chunk);
  }
  const code = response.headers["x-claude-oauth-proxy-error"];
  return { status: response.statusCode ?? 0, errorCode: typeof code === "string" ? code : null, body: parseJson(Buffer.concat(chunks).toString("utf8")) };
};
