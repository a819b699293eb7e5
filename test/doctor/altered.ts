// Forwarders that are wrong on purpose, each in one way, and the proof that has to find it.
import type { HttpRequest } from "../../src/http/request.ts";
import type { HttpResponse } from "../../src/http/response.ts";
import type { Forward, ForwarderDeps } from "../../src/proxy/deps.ts";
import { createForwarder } from "../../src/proxy/forward.ts";

export type MakeForwarder = typeof createForwarder;

type Change = (request: HttpRequest, response: HttpResponse) => void;

/** The real forwarder, with every exchange changed before it is handed over. */
const changing = (change: Change): MakeForwarder => (deps) => withChange(createForwarder(deps), change);

const withChange = (forward: Forward, change: Change): Forward => (request, response, facts) => {
  change(request, response);
  forward(request, response, facts);
};

const withDeps = (change: (deps: ForwarderDeps) => ForwarderDeps): MakeForwarder => (deps) => createForwarder(change(deps));

const eachByte = (change: (byte: number) => number): Change => (request) => {
  const read = request.read.bind(request);
  request.read = (reader) => read({ onData: (bytes) => reader.onData(Buffer.from(bytes.map(change))), onEnd: () => reader.onEnd() });
};

const headers = (change: (raw: string[]) => void): MakeForwarder => changing(({ rawHeaders }) => change(rawHeaders as string[]));

const valueAfter = (raw: string[], name: string, change: (value: string) => string): void => {
  const at = raw.findIndex((item) => item.toLowerCase() === name);
  if (at >= 0) raw[at + 1] = change(raw[at + 1] ?? "");
};

const chunks = (change: (text: string) => string | null): MakeForwarder =>
  changing((_, response) => {
    const write = response.write.bind(response);
    const end = response.end.bind(response);
    response.write = (chunk) => {
      const changed = change(chunk.toString("latin1"));
      return changed === null ? true : write(Buffer.from(changed, "latin1"));
    };
    // A whole short answer comes with the end.
    response.end = (last) => {
      const changed = last === undefined ? null : change(last.toString("latin1"));
      end(changed === null ? undefined : Buffer.from(changed, "latin1"));
    };
  });

const heads = (change: (status: number, fields: string[]) => [number, string[]]): MakeForwarder =>
  changing((_, response) => {
    const writeHead = response.writeHead.bind(response);
    response.writeHead = (status, fields) => writeHead(...change(status, [...fields]));
  });

const without = (fields: string[], name: string): string[] => {
  const at = fields.findIndex((item) => item.toLowerCase() === name);
  return at === -1 ? fields : fields.toSpliced(at, 2);
};

const oneBehind: Change = (_, response) => {
  const write = response.write.bind(response);
  const end = response.end.bind(response);
  let held: Buffer | string | null = null;
  response.write = (chunk) => {
    if (held !== null) write(held);
    held = chunk;
    return true;
  };
  response.end = () => {
    if (held !== null) write(held);
    end();
  };
};

const endingCleanly: Change = (_, response) => {
  response.destroy = () => response.end();
};

const deafToAbort = withDeps((deps) => ({
  ...deps,
  upstream: { ...deps.upstream, send: (request, listener) => ({ ...deps.upstream.send(request, listener), abort: () => {} }) },
}));

const askedTwice = withDeps((deps) => ({
  ...deps,
  upstream: {
    ...deps.upstream,
    send(request, listener) {
      deps.upstream.send(request, { onSent() {}, onHead() {}, onData() {}, onRead() {}, onEnd() {}, onError() {} });
      return deps.upstream.send(request, listener);
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
