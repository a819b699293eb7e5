// What comes back while a stream is open: the same bytes, each piece before the next one is sent.
import { demand, demandSameBytes, demandSameFields, endToEnd, milliseconds } from "./proof.ts";
import type { Proof } from "./proof.ts";
import { readAnswer } from "./raw-client.ts";
import type { Answer, RawField } from "./raw-client.ts";
import { requestBytes } from "./sandbox.ts";
import type { Sandbox } from "./sandbox.ts";

const event = (type: string, data: object, eol = "\n"): string => `event: ${type}${eol}data: ${JSON.stringify({ type, ...data })}${eol}${eol}`;

const start = event("message_start", { message: { id: "msg_1", type: "message", role: "assistant", model: "claude-sonnet-4-6", content: [], usage: { input_tokens: 9, output_tokens: 1 } } });
const delta = (text: string): string => event("content_block_delta", { index: 0, delta: { type: "text_delta", text } });
const end = event("message_delta", { delta: { stop_reason: "end_turn" }, usage: { output_tokens: 12 } }) + event("message_stop", {});

// One character in two pieces, one event in two pieces, both kinds of line ends.
const split = Buffer.from(delta("ä€😀"));
const half = split.indexOf("😀") + 2;
const wholeStream = [Buffer.from(start), split.subarray(0, half), split.subarray(half), Buffer.from(event("content_block_stop", { index: 0 }, "\r\n")), Buffer.from(end)];

const oddities = [
  event("ping", {}),
  ": a comment that only keeps the line open\n\n",
  event("event_of_tomorrow", { nested: { "a": [1, 2] } }),
  ":\n\n",
  "data: {\"type\":\"ping\"}\n\n",
  "id: 7\nretry: 100\n\n",
  event("error", { error: { type: "overloaded_error", message: "Overloaded" } }),
].map((text) => Buffer.from(text));

const streamFields: readonly RawField[] = [
  ["Content-Type", "text/event-stream; charset=utf-8"],
  ["cache-control", "no-cache"],
  ["request-id", "req_doctor"],
  ["X-Unknown", "kept"],
];

type Played = {
  readonly answer: Answer;
  /** From the request to the first byte of the body. */
  readonly firstMs: number;
  /** The longest way of one piece from the release at the upstream to the client. */
  readonly slowestMs: number;
};

/** Sends each piece only after the one before it was seen here, and gives the whole answer. */
const playStream = async (sandbox: Sandbox, pieces: readonly Buffer[]): Promise<Played> => {
  const { upstream, clock } = sandbox;
  upstream.script({ fault: { kind: "recorded", status: 200, headers: streamFields, chunks: pieces.map((bytes, at) => ({ bytes, delayMs: at === 0 ? 0 : 1 })) } });
  const connection = await sandbox.open();
  try {
    const began = clock.monotonic();
    connection.send(requestBytes(sandbox));
    const bodyNow = (): Buffer => readAnswer(connection.received())?.body ?? Buffer.alloc(0);
    const ways: number[] = [];
    const sent = Buffer.concat(pieces);
    const isAltered = (): boolean => !sent.subarray(0, bodyNow().length).equals(bodyNow());
    let wanted = 0;
    let released = began;
    for (const [at, piece] of pieces.entries()) {
      wanted += piece.length;
      await connection.until(`piece ${at + 1} of ${pieces.length}, while the next one was not sent yet,`, () => bodyNow().length >= wanted || isAltered());
      ways.push(clock.monotonic() - released);
      demandSameBytes("the stream", bodyNow(), sent.subarray(0, wanted));
      demand(at === pieces.length - 1 || upstream.openStreams() === 1, "the stream was not open any more");
      released = clock.monotonic();
      if (at < pieces.length - 1) sandbox.step();
    }
    await connection.until("the end of the stream", () => readAnswer(connection.received())?.complete === true);
    const answer = readAnswer(connection.received());
    if (answer === null) throw new Error("the answer has vanished");
    return { answer, firstMs: ways[0] ?? 0, slowestMs: Math.max(...ways.slice(1)) };
  } finally {
    connection.leave();
  }
};

const proveStream = async (sandbox: Sandbox): Promise<string> => {
  const { answer } = await playStream(sandbox, wholeStream);
  const sent = Buffer.concat(wholeStream);
  demandSameBytes("the stream", answer.body, sent);
  demand(answer.status === 200, `the status was ${answer.status}`);
  demandSameFields(endToEnd(answer.fields), endToEnd(streamFields));
  return `${sent.length} bytes and ${streamFields.length} headers identical; split UTF-8 and CRLF kept`;
};

const pieceCount = 12;

const provePace = async (sandbox: Sandbox): Promise<string> => {
  const pieces = [start, ...Array.from({ length: pieceCount - 2 }, (_, at) => delta(`word ${at} `)), end].map((text) => Buffer.from(text));
  const { firstMs, slowestMs } = await playStream(sandbox, pieces);
  return `${pieceCount} of ${pieceCount} pieces there before the next was sent; first byte after ${milliseconds(firstMs)} with the stream open, slowest piece ${milliseconds(slowestMs)}`;
};

const proveOddities = async (sandbox: Sandbox): Promise<string> => {
  const pieces = [Buffer.from(start), ...oddities, Buffer.from(end)];
  const { answer } = await playStream(sandbox, pieces);
  demandSameBytes("the stream", answer.body, Buffer.concat(pieces));
  return `${oddities.length} of ${oddities.length} passed: pings, comments, unknown events and fields, an error event`;
};

export const streamProofs: readonly Proof[] = [
  { name: "stream bytes", prove: proveStream },
  { name: "stream pace", prove: provePace },
  { name: "pings and unknown", prove: proveOddities },
];
