// Whole answers: errors with status, headers and body as they came and asked for once, compressed bodies.
import type { RawField } from "./answer.ts";
import { demand, demandSameBytes, demandSameFields, endToEnd, messagesAt } from "./proof.ts";
import type { Proof } from "./proof.ts";
import { ask } from "./stage.ts";
import type { Stage } from "./stage.ts";

type Sent = { readonly status: number; readonly fields: readonly RawField[]; readonly body: Buffer };

// The blanks are on purpose: who parses and writes again loses them.
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

const pass = async (stage: Stage, { status, fields, body }: Sent): Promise<void> => {
  const before = messagesAt(stage.upstream).length;
  stage.upstream.script({ fault: { kind: "recorded", status, headers: fields, chunks: [{ bytes: body }] } });
  const answer = await ask(stage);
  demand(answer.status === status, `${status} arrived as ${answer.status}`);
  demandSameFields(endToEnd(answer.fields), endToEnd(fields));
  demandSameBytes(`the body of ${status}`, answer.body, body);
  const asked = messagesAt(stage.upstream).length - before;
  demand(asked === 1, `the upstream was asked ${asked} times`);
};

const proveErrors = async (stage: Stage): Promise<string> => {
  for (const sent of errors) await pass(stage, sent);
  return `${errors.map(({ status }) => status).join(", ")}: status, headers (Retry-After) and body identical; asked once each`;
};

// `{"type":"message"}` and a line feed, compressed once and for all: another compressor would give other bytes.
const gzipped = Buffer.from("H4sIAAAAAAAC/6tWKqksSFWyUspNLS5OTE9VquUCAM5CkdATAAAA", "base64");

const proveGzip = async (stage: Stage): Promise<string> => {
  await pass(stage, withLength(200, [json, ["content-encoding", "gzip"]], gzipped));
  await pass(stage, { status: 200, fields: [json, ["content-encoding", "gzip"]], body: gzipped });
  return `${gzipped.length} bytes with Content-Encoding identical, with a length and chunked`;
};

export const answerProofs: readonly Proof[] = [
  { name: "error answers", prove: proveErrors },
  { name: "gzip body", prove: proveGzip },
];
