// Forwarders that are wrong on purpose, each in one way, and the proof that has to find it.
import type { IncomingMessage, ServerResponse } from "node:http";
import { createForwarder } from "../../src/proxy/forward.ts";
import type { Forward, ForwardContext } from "../../src/proxy/forward.ts";

export type MakeForwarder = typeof createForwarder;

type Change = (request: IncomingMessage, response: ServerResponse) => void;

/** The real forwarder, with every exchange changed before it is handed over. */
const changing = (change: Change): MakeForwarder => (deps) => withChange(createForwarder(deps), change);

const withChange = (forward: Forward, change: Change): Forward => (request, response, options) => {
  change(request, response);
  return forward(request, response, options);
};

const withDeps = (change: (deps: ForwardContext) => ForwardContext): MakeForwarder => (deps) => createForwarder(change(deps));

// node:http pushes each piece of the body after it has announced the request.
const eachByte = (change: (byte: number) => number): Change => (request) => {
  const push = request.push.bind(request);
  request.push = (piece: Buffer | null) => push(piece === null ? null : Buffer.from(piece.map(change)));
};

const headers = (change: (raw: string[]) => void): MakeForwarder => changing(({ rawHeaders }) => change(rawHeaders as string[]));

const valueAfter = (raw: string[], name: string, change: (value: string) => string): void => {
  const at = raw.findIndex((item) => item.toLowerCase() === name);
  if (at >= 0) raw[at + 1] = change(raw[at + 1] ?? "");
};

const chunks = (change: (text: string) => string | null): MakeForwarder =>
  changing((_, response) => {
    const write = response.write.bind(response) as (chunk: Buffer) => boolean;
    response.write = ((chunk: Buffer) => {
      const changed = change(chunk.toString("latin1"));
      return changed === null ? true : write(Buffer.from(changed, "latin1"));
    }) as ServerResponse["write"];
  });

const heads = (change: (status: number, fields: string[]) => [number, string[]]): MakeForwarder =>
  changing((_, response) => {
    const writeHead = response.writeHead.bind(response) as (status: number, fields: string[]) => ServerResponse;
    response.writeHead = ((status: number, fields: string[]) => writeHead(...change(status, [...fields]))) as ServerResponse["writeHead"];
  });

const without = (fields: string[], name: string): string[] => {
  const at = fields.findIndex((item) => item.toLowerCase() === name);
  return at === -1 ? fields : fields.toSpliced(at, 2);
};

const oneBehind: Change = (_, response) => {
  const write = response.write.bind(response) as (chunk: Buffer) => boolean;
  const end = response.end.bind(response);
  let held: Buffer | null = null;
  response.write = ((chunk: Buffer) => {
    if (held !== null) write(held);
    held = chunk;
    return true;
  }) as ServerResponse["write"];
  response.end = (() => {
    if (held !== null) write(held);
    return end();
  }) as ServerResponse["end"];
};

/** The client sees a clean end although the upstream broke off. */
const endingCleanly: Change = ({ socket }, response) => {
  const destroy = socket.destroy.bind(socket);
  socket.destroy = () => {
    socket.destroy = destroy;
    response.end();
    return socket;
  };
};

const deafToAbort = withDeps((deps) => ({
  ...deps,
  upstream: { ...deps.upstream, request: (request) => deps.upstream.request({ ...request, signal: new AbortController().signal }) },
}));

const askedTwice = withDeps((deps) => ({
  ...deps,
  upstream: {
    ...deps.upstream,
    async request(request) {
      const first = await deps.upstream.request({ ...request, onSent() {} });
      await first.read(() => {});
      return deps.upstream.request(request);
    },
  },
}));

const neverRenewing = withDeps((deps) => {
  const { credentials } = deps;
  if (credentials === null) return deps;
  return { ...deps, credentials: { ...credentials, renew: async () => credentials.acquire({ sessionId: null, accountId: null }) } };
});

/** The access token in a header for the client. */
const spilling: MakeForwarder = (deps) => {
  const { credentials } = deps;
  if (credentials === null) throw new Error("no credentials to spill");
  let token = "";
  const acquire: typeof credentials.acquire = (wish) => {
    const outcome = credentials.acquire(wish);
    if (!(outcome instanceof Promise) && outcome.ok) token = outcome.credential.token.reveal();
    return outcome;
  };
  return heads((status, fields) => [status, [...fields, "x-debug", token]])({ ...deps, credentials: { ...credentials, acquire } });
};

/** What is wrong, the forwarder, and the proof that must fail. */
export const alterations: readonly (readonly [string, MakeForwarder, string])[] = [
  ["a byte of the request body is tidied", changing(eachByte((byte) => (byte === 9 ? 32 : byte))), "request body"],
  ["every request is sent twice", askedTwice, "request body"],
  ["header names are made lower case", headers((raw) => raw.forEach((item, at) => at % 2 === 0 && (raw[at] = item.toLowerCase()))), "request headers"],
  ["two headers change places", headers((raw) => raw.splice(2, 4, ...raw.slice(4, 6), ...raw.slice(2, 4))), "request headers"],
  ["a Via is added", headers((raw) => raw.push("Via", "1.1 somebody")), "request headers"],
  ["an unknown beta is filtered out", headers((raw) => valueAfter(raw, "anthropic-beta", (value) => value.replace(", some-beta-of-tomorrow", ""))), "betas"],
  ["the OAuth beta is added twice", headers((raw) => valueAfter(raw, "anthropic-beta", (value) => `${value},oauth-2025-04-20,oauth-2025-04-20`)), "betas"],
  ["line ends of a stream are made equal", chunks((text) => text.replaceAll("\r\n", "\n")), "stream bytes"],
  ["a header of the answer is lost", heads((status, fields) => [status, without(fields, "x-unknown")]), "stream bytes"],
  ["each piece waits for the next one", changing(oneBehind), "stream pace"],
  ["pings are swallowed", chunks((text) => (text.startsWith("event: ping") ? null : text)), "pings and unknown"],
  ["comments are swallowed", chunks((text) => (text.startsWith(":") ? null : text)), "pings and unknown"],
  ["529 is turned into 503", heads((status, fields) => [status === 529 ? 503 : status, fields]), "error answers"],
  ["Retry-After is lost", heads((status, fields) => [status, without(fields, "retry-after")]), "error answers"],
  ["error bodies are written anew", chunks((text) => text.replace('{"type": "error"', '{"type":"error" ')), "error answers"],
  ["Content-Encoding is lost", heads((status, fields) => [status, without(fields, "content-encoding")]), "gzip body"],
  ["the upstream is not told that the client left", deafToAbort, "client abort"],
  ["what broke off is ended cleanly", changing(endingCleanly), "upstream break"],
  ["a refused token is not renewed", neverRenewing, "401 and refresh"],
  ["the local key goes upstream", headers((raw) => raw.push("x-gateway", raw[raw.findIndex((item) => item === "Authorization") + 1] ?? "")), "no secret crosses"],
  ["the upstream credential comes back", spilling, "no secret crosses"],
];
