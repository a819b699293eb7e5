// How things end: a client that leaves is felt upstream, and an answer that broke off never looks whole.
import { readAnswer } from "./answer.ts";
import type { RawField } from "./answer.ts";
import { demand, messagesAt, milliseconds } from "./proof.ts";
import type { Proof } from "./proof.ts";
import { requestBytes } from "./stage.ts";
import type { Stage } from "./stage.ts";

const streamFields: readonly RawField[] = [["content-type", "text/event-stream"]];
const piece = Buffer.from("event: ping\ndata: {\"type\": \"ping\"}\n\n");

/** An idle machine needs one or two; more than this and the client pays for what nobody reads. */
const slowestAbortMs = 1000;

/** Milliseconds from the client's leaving to the moment the upstream has seen it. */
const abortTime = async (stage: Stage, ready: (received: Buffer) => boolean): Promise<number> => {
  const { upstream, clock, patienceMs } = stage;
  const before = messagesAt(upstream).length;
  const wire = await stage.open();
  wire.send(requestBytes(stage, {}));
  try {
    await waitAt(stage, "the request did not reach the upstream", () => messagesAt(upstream)[before]?.bodyComplete === true);
    await wire.until("the beginning of the answer", () => ready(wire.received()));
  } catch (error) {
    wire.leave();
    throw error;
  }
  const left = clock.monotonic();
  wire.leave();
  await waitAt(stage, `the upstream did not learn within ${patienceMs / 1000} s that the client had left`, () => messagesAt(upstream)[before]?.aborted === true);
  const ms = clock.monotonic() - left;
  demand(ms <= slowestAbortMs, `the upstream learned only after ${milliseconds(ms)} that the client had left`);
  return ms;
};

const waitAt = async ({ upstream, patienceMs }: Stage, otherwise: string, holds: () => boolean): Promise<void> => {
  try {
    await upstream.waitFor(holds, patienceMs);
  } catch {
    throw new Error(otherwise);
  }
};

const proveAbort = async (stage: Stage): Promise<string> => {
  stage.upstream.script({ fault: { kind: "never" } });
  const waiting = await abortTime(stage, () => true);
  stage.upstream.script({ fault: { kind: "recorded", status: 200, headers: streamFields, chunks: [{ bytes: piece }], end: "hold" } });
  const streaming = await abortTime(stage, (received) => (readAnswer(received)?.body.length ?? 0) > 0);
  return `felt upstream after ${milliseconds(waiting)} while waiting, ${milliseconds(streaming)} in a stream`;
};

const breaks = [
  { how: "reset", fields: streamFields },
  { how: "close", fields: streamFields },
  { how: "reset", fields: [["content-type", "application/json"], ["content-length", "4096"]] },
  { how: "close", fields: [["content-type", "application/json"], ["content-length", "4096"]] },
] as const satisfies readonly { readonly how: "reset" | "close"; readonly fields: readonly RawField[] }[];

const proveBreaks = async (stage: Stage): Promise<string> => {
  for (const { how, fields } of breaks) {
    stage.upstream.script({ fault: { kind: "recorded", status: 200, headers: fields, chunks: [{ bytes: piece }, { bytes: piece, delayMs: 1 }], end: how } });
    const wire = await stage.open();
    try {
      wire.send(requestBytes(stage, {}));
      await wire.until("the beginning of the answer", () => (readAnswer(wire.received())?.body.length ?? 0) >= piece.length);
      stage.step();
      await wire.until("the end of the connection", () => wire.isClosed() || readAnswer(wire.received())?.complete === true);
      demand(readAnswer(wire.received())?.complete === false, `an answer that the upstream broke off (${how}) ended as if it were whole`);
    } finally {
      wire.leave();
    }
  }
  return `${breaks.length} of ${breaks.length} answers that broke off (FIN, RST) ended as broken, 0 as whole`;
};

export const endingProofs: readonly Proof[] = [
  { name: "client abort", prove: proveAbort },
  { name: "upstream break", prove: proveBreaks },
];
