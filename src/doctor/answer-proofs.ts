// Whole answers, and how answers end: errors pass with status, headers and body as they came and are asked for once,
// compressed bodies stay compressed, a client that leaves is noticed upstream, and what broke off never looks whole.
import { demand, demandSameBytes, demandSameFields, endToEnd, messagesAt, milliseconds } from "./proof.ts";
import type { Proof } from "./proof.ts";
import { readAnswer } from "./raw-client.ts";
import type { RawField } from "./raw-client.ts";
import { ask, requestBytes } from "./sandbox.ts";
import type { Sandbox } from "./sandbox.ts";

type Sent = { readonly status: number; readonly fields: readonly RawField[]; readonly body: Buffer };

// The blanks are on purpose: parsing and writing again would lose them.
const errorBody = (type: string, message: string): Buffer => Buffer.from(`{"type": "error",\n "error": {"type":"${type}","message":"${message}"}, "request_id":"req_doctor"}\n`);

const withLength = (status: number, fields: readonly RawField[], body: Buffer): Sent => ({ status, fields: [...fields, ["Content-Length", String(body.length)]], body });

const json: RawField = ["content-type", "application/json"];

const errors: readonly Sent[] = [
  withLength(400, [json, ["request-id", "req_doctor"]], errorBody("invalid_request_error", "messages.0: Input should be <a> \\u00e4")),
  withLength(429, [json, ["Retry-After", "7"], ["x-should-retry", "false"], ["request-id", "req_doctor"]], errorBody("rate_limit_error", "Slow down")),
  withLength(500, [json], errorBody("api_error", "Internal server error")),
  withLength(503, [["content-type", "text/html"], ["cf-ray", "0"]], Buffer.from("<html>\r\n<h1>503</h1>\r\n</html>")),
  withLength(529, [json, ["x-should-retry", "true"]], errorBody("overloaded_error", "Overloaded")),
];

const pass = async (sandbox: Sandbox, { status, fields, body }: Sent): Promise<void> => {
  const before = messagesAt(sandbox.upstream).length;
  sandbox.upstream.script({ fault: { kind: "recorded", status, headers: fields, chunks: [{ bytes: body }] } });
  const answer = await ask(sandbox);
  demand(answer.status === status, `${status} arrived as ${answer.status}`);
  demandSameFields(endToEnd(answer.fields), endToEnd(fields));
  demandSameBytes(`the body of ${status}`, answer.body, body);
  const asked = messagesAt(sandbox.upstream).length - before;
  demand(asked === 1, `the upstream was asked ${asked} times`);
};

const proveErrors = async (sandbox: Sandbox): Promise<string> => {
  for (const sent of errors) await pass(sandbox, sent);
  return `${errors.map(({ status }) => status).join(", ")}: status, headers (Retry-After) and body identical; asked once each`;
};

// `{"type":"message"}` and a line feed, compressed beforehand: another compressor would give other bytes.
const gzipped = Buffer.from("H4sIAAAAAAAC/6tWKqksSFWyUspNLS5OTE9VquUCAM5CkdATAAAA", "base64");

const proveGzip = async (sandbox: Sandbox): Promise<string> => {
  await pass(sandbox, withLength(200, [json, ["content-encoding", "gzip"]], gzipped));
  await pass(sandbox, { status: 200, fields: [json, ["content-encoding", "gzip"]], body: gzipped });
  return `${gzipped.length} bytes with Content-Encoding identical, with a length and chunked`;
};

const streamFields: readonly RawField[] = [["content-type", "text/event-stream"]];
const piece = Buffer.from("event: ping\ndata: {\"type\": \"ping\"}\n\n");

/** An idle machine needs one or two; beyond this a client pays for tokens that it does not get. */
const slowestAbortMs = 1000;

/** Milliseconds from the client's leaving to the moment the upstream has seen it. */
const abortTime = async (sandbox: Sandbox, ready: (received: Buffer) => boolean): Promise<number> => {
  const { upstream, clock, patienceMs } = sandbox;
  const before = messagesAt(upstream).length;
  const connection = await sandbox.open();
  connection.send(requestBytes(sandbox));
  try {
    await waitAt(sandbox, "the request did not reach the upstream", () => messagesAt(upstream)[before]?.bodyComplete === true);
    await connection.until("the beginning of the answer", () => ready(connection.received()));
  } catch (error) {
    connection.leave();
    throw error;
  }
  const left = clock.monotonic();
  connection.leave();
  await waitAt(sandbox, `the upstream did not learn within ${patienceMs / 1000} s that the client had left`, () => messagesAt(upstream)[before]?.aborted === true);
  const ms = clock.monotonic() - left;
  demand(ms <= slowestAbortMs, `the upstream learned only after ${milliseconds(ms)} that the client had left`);
  return ms;
};

const waitAt = async ({ upstream, patienceMs }: Sandbox, otherwise: string, holds: () => boolean): Promise<void> => {
  try {
    await upstream.waitFor(holds, patienceMs);
  } catch {
    throw new Error(otherwise);
  }
};

const proveAbort = async (sandbox: Sandbox): Promise<string> => {
  sandbox.upstream.script({ fault: { kind: "never" } });
  const waiting = await abortTime(sandbox, () => true);
  sandbox.upstream.script({ fault: { kind: "recorded", status: 200, headers: streamFields, chunks: [{ bytes: piece }], end: "hold" } });
  const streaming = await abortTime(sandbox, (received) => (readAnswer(received)?.body.length ?? 0) > 0);
  return `felt upstream after ${milliseconds(waiting)} while waiting, ${milliseconds(streaming)} in a stream`;
};

const breaks = [
  { how: "reset", fields: streamFields },
  { how: "close", fields: streamFields },
  { how: "reset", fields: [["content-type", "application/json"], ["content-length", "4096"]] },
  { how: "close", fields: [["content-type", "application/json"], ["content-length", "4096"]] },
] as const satisfies readonly { readonly how: "reset" | "close"; readonly fields: readonly RawField[] }[];

const proveBreaks = async (sandbox: Sandbox): Promise<string> => {
  for (const { how, fields } of breaks) {
    sandbox.upstream.script({ fault: { kind: "recorded", status: 200, headers: fields, chunks: [{ bytes: piece }, { bytes: piece, delayMs: 1 }], end: how } });
    const connection = await sandbox.open();
    try {
      connection.send(requestBytes(sandbox));
      await connection.until("the beginning of the answer", () => (readAnswer(connection.received())?.body.length ?? 0) >= piece.length);
      sandbox.step();
      await connection.until("the end of the connection", () => connection.isClosed() || readAnswer(connection.received())?.complete === true);
      demand(readAnswer(connection.received())?.complete === false, `an answer that the upstream broke off (${how}) ended as if it were whole`);
    } finally {
      connection.leave();
    }
  }
  return `${breaks.length} of ${breaks.length} answers that broke off (FIN, RST) ended as broken, 0 as whole`;
};

export const answerProofs: readonly Proof[] = [
  { name: "error answers", prove: proveErrors },
  { name: "gzip body", prove: proveGzip },
  { name: "client abort", prove: proveAbort },
  { name: "upstream break", prove: proveBreaks },
];
