// Proxies that are wrong on purpose, each in one way, and the proof that has to find it. The real proxy gets a relay in
// front of it, or behind it towards the upstream, that changes what passes; nothing of the proxy's inside is touched.
import { createServer, request as send } from "node:http";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createApp } from "../../src/app/create-app.ts";
import type { SandboxDeps } from "../../src/doctor/sandbox.ts";

type Create = SandboxDeps["createApp"];

/** What a relay does to an exchange; raw lists are `name, value, name, …`. */
type Relay = {
  readonly requestFields?: (fields: string[]) => string[];
  readonly requestBytes?: (bytes: Buffer) => Buffer;
  readonly head?: (status: number, fields: string[], request: IncomingMessage) => readonly [status: number, fields: string[]];
  /** Null swallows the piece. */
  readonly piece?: (text: string) => string | null;
  /** Sends each request once more, and first. */
  readonly twice?: boolean;
  readonly holdsPieceBack?: boolean;
  readonly ignoresAbort?: boolean;
  readonly endsCleanly?: boolean;
};

const realApp: Create = (options) => createApp({ ...options, process });

/** The real proxy behind a relay. */
const inFront = (relay: Relay): Create => async (options) => {
  const app = await realApp(options);
  return {
    ...app,
    async start() {
      const listening = await app.start();
      return { ...listening, port: await openRelay(listening.port, relay, app.stopped) };
    },
  };
};

/** The real proxy with a relay between it and the upstream. */
const behind = (relay: Relay): Create => async (options) => {
  const stopped = Promise.withResolvers<void>();
  const { upstream } = options.config;
  const port = await openRelay(Number(new URL(upstream.baseUrl).port), relay, stopped.promise);
  const app = await realApp({ ...options, config: { ...options.config, upstream: { ...upstream, baseUrl: `http://127.0.0.1:${port}` } } });
  void app.stopped.then(stopped.resolve);
  return app;
};

const openRelay = async (target: number, relay: Relay, stopped: Promise<void>): Promise<number> => {
  const server = createServer({ requestTimeout: 0 }, relayTo(target, relay));
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  void stopped.finally(() => void server.close().closeAllConnections());
  return (server.address() as AddressInfo).port;
};

const relayTo = (port: number, relay: Relay): RequestListener => async (request, response) => {
  const { requestFields = (fields) => fields, requestBytes = (bytes) => bytes } = relay;
  const fields = requestFields([...request.rawHeaders]);
  fields[1 + fields.findIndex((name, at) => at % 2 === 0 && name.toLowerCase() === "host")] = `127.0.0.1:${port}`;
  const body: Buffer[] = [];
  for await (const bytes of request) body.push(requestBytes(bytes as Buffer));
  const ask = (): Promise<{ readonly answer: IncomingMessage; readonly abort: () => void }> =>
    new Promise((resolve) => {
      const outgoing = send({ port, host: "127.0.0.1", method: request.method, path: request.url, headers: fields, agent: false, setHost: false });
      const abort = (): void => void outgoing.destroy();
      if (relay.ignoresAbort !== true) response.once("close", abort);
      outgoing.once("response", (answer) => resolve({ answer, abort })).on("error", () => response.destroy());
      for (const bytes of body) outgoing.write(bytes);
      outgoing.end();
    });
  if (relay.twice === true) await ask().then(({ answer }) => new Promise((resolve) => void answer.resume().once("end", resolve)));
  const { answer } = await ask();
  passAnswer(answer, response, relay, request);
};

const passAnswer = (answer: IncomingMessage, response: ServerResponse, { head, piece, holdsPieceBack, endsCleanly }: Relay, request: IncomingMessage): void => {
  const [status, fields] = (head ?? ((code, raw) => [code, raw] as const))(answer.statusCode ?? 0, [...answer.rawHeaders], request);
  response.sendDate = false;
  response.writeHead(status, fields);
  response.flushHeaders();
  let held: string | null = null;
  answer.on("data", (bytes: Buffer) => {
    const text = bytes.toString("latin1");
    const changed = piece === undefined ? text : piece(text);
    const next = holdsPieceBack === true ? held : changed;
    if (holdsPieceBack === true) held = changed;
    if (next !== null) response.write(next, "latin1");
  });
  answer.once("end", () => void response.end(held ?? "", "latin1"));
  answer.on("error", () => void (endsCleanly === true ? response.end() : response.destroy()));
};

const lowerCase = (fields: string[]): string[] => fields.map((item, at) => (at % 2 === 0 ? item.toLowerCase() : item));

const without = (fields: string[], name: string): string[] => fields.filter((_, at) => fields[at - (at % 2)]?.toLowerCase() !== name);

const withValue = (fields: string[], name: string, change: (value: string) => string): string[] =>
  fields.map((item, at) => (at % 2 === 1 && fields[at - 1]?.toLowerCase() === name ? change(item) : item));

const valueOf = (fields: readonly string[], name: string): string => fields[1 + fields.findIndex((item) => item.toLowerCase() === name)] ?? "";

const losing = (name: string): Relay => ({ head: (status, fields) => [status, without(fields, name)] });

const betasAs = (change: (value: string) => string): Relay => ({ requestFields: (fields) => withValue(fields, "anthropic-beta", change) });

/** A relay that changes nothing, as proof that the relay itself is not what the proofs find. */
export const unaltered: readonly (readonly [string, Create])[] = [
  ["in front of", inFront({})],
  ["behind", behind({})],
];

/** What is wrong, the proxy, and the proof that must fail. */
export const alterations: readonly (readonly [string, Create, string])[] = [
  ["a byte of the request body is tidied", inFront({ requestBytes: (bytes) => Buffer.from(bytes.map((byte) => (byte === 9 ? 32 : byte))) }), "request body"],
  ["every request is sent twice", inFront({ twice: true }), "request body"],
  ["header names are made lower case", inFront({ requestFields: lowerCase }), "request headers"],
  ["two headers change places", inFront({ requestFields: (raw) => raw.toSpliced(2, 4, ...raw.slice(4, 6), ...raw.slice(2, 4)) }), "request headers"],
  ["a Via is added", inFront({ requestFields: (raw) => [...raw, "Via", "1.1 somebody"] }), "request headers"],
  ["an unknown beta is filtered out", inFront(betasAs((value) => value.replace(", some-beta-of-tomorrow", ""))), "betas"],
  ["the OAuth beta is added twice", inFront(betasAs((value) => `${value},oauth-2025-04-20,oauth-2025-04-20`)), "betas"],
  ["line ends of a stream are made equal", inFront({ piece: (text) => text.replaceAll("\r\n", "\n") }), "stream bytes"],
  ["a header of the answer is lost", inFront(losing("x-unknown")), "stream bytes"],
  ["each piece waits for the next one", inFront({ holdsPieceBack: true }), "stream pace"],
  ["pings are swallowed", inFront({ piece: (text) => (text.startsWith("event: ping") ? null : text) }), "pings and unknown"],
  ["comments are swallowed", inFront({ piece: (text) => (text.startsWith(":") ? null : text) }), "pings and unknown"],
  ["529 is turned into 503", inFront({ head: (status, fields) => [status === 529 ? 503 : status, fields] }), "error answers"],
  ["Retry-After is lost", inFront(losing("retry-after")), "error answers"],
  ["error bodies are written anew", inFront({ piece: (text) => text.replace('{"type": "error"', '{"type":"error" ') }), "error answers"],
  ["Content-Encoding is lost", inFront(losing("content-encoding")), "gzip body"],
  ["the upstream is not told that the client left", inFront({ ignoresAbort: true }), "client abort"],
  ["what broke off is ended cleanly", inFront({ endsCleanly: true }), "upstream break"],
  ["a refused token is not renewed", behind({ head: (status, fields) => [status === 401 ? 403 : status, fields] }), "401 and refresh"],
  ["the local key goes upstream", inFront({ requestFields: (raw) => [...raw, "x-gateway", valueOf(raw, "authorization")] }), "no secret crosses"],
  ["the upstream credential comes back", behind({ head: (status, fields, { rawHeaders }) => [status, [...fields, "x-debug", valueOf(rawHeaders, "authorization")]] }), "no secret crosses"],
];
