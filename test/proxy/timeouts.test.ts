// Progress: told sparingly, and enough to see what a request is doing.
import { describe, expect, it } from "vitest";

import { createFakeClock } from "../helpers/fake-clock.ts";
import { isWhole, post } from "./raw-client.ts";
import { chunk, lastChunk, reply, streamHead } from "./raw-upstream.ts";
import { useScenes } from "./scene.ts";

const open = useScenes();
const event = (name: string, data: object): string => `event: ${name}\ndata: ${JSON.stringify({ type: name, ...data })}\n\n`;

describe("progress", () => {
  it("a stream of hundreds of chunks a second is told at most four times a second, a new phase at the next of them", async () => {
    const clock = createFakeClock();
    const { client, harness, upstream } = await open(
      ({ socket }) => socket.write(streamHead + chunk(event("message_start", { message: { usage: { input_tokens: 2, output_tokens: 1 } } })).toString()),
      { clock },
    );
    client.send(post());
    await client.until((text) => text.includes("message_start"));
    const socket = upstream.requests[0]?.socket;
    for (const type of ["thinking", "text", "tool_use"]) {
      socket?.write(chunk(event("content_block_start", { content_block: { type } })));
      for (let count = 0; count < 100; count += 1) socket?.write(chunk(event("ping", { type, count })));
      await client.until((text) => text.includes(`"type":"${type}","count":99`));
      await clock.advance(250);
    }
    await clock.advance(2000);
    const told = harness.of("response.progress");
    expect(told.map(({ phase }) => phase)).toEqual(["thinking", "text", "tool"]);
    expect(told.map(({ bytesOut }) => bytesOut)).toEqual(told.map(({ bytesOut }) => bytesOut).toSorted((left, right) => left - right));
    expect(harness.of("usage.updated")).toMatchObject([{ inputTokens: 2 }]);
    socket?.write(chunk(event("message_delta", { usage: { output_tokens: 30 } }) + event("message_stop", {})).toString() + lastChunk);
    await client.until(isWhole);
    await harness.finished();
    expect(harness.of("usage.updated").at(-1)).toMatchObject({ inputTokens: 2, outputTokens: 30 });
  });

  it("an answer that is over at once is told without any progress", async () => {
    const { client, harness } = await open(({ socket }) => socket.write(reply("200 OK", '{"usage":{"output_tokens":3}}', ["content-type: application/json"])));
    client.send(post());
    await client.until(isWhole);
    await harness.finished();
    expect(harness.events.map(({ type }) => type)).toEqual(["request.assigned", "attempt.started", "response.started", "usage.updated", "request.finished"]);
  });
});
