// A streamed body and the attempts that read it.
import { PassThrough } from "node:stream";
import type { IncomingMessage } from "node:http";
import { describe, expect, it } from "vitest";

import { openRequestBody } from "../../src/proxy/request-body.ts";
import type { RequestBody } from "../../src/proxy/request-body.ts";
import type { BodySink, Upload } from "../../src/proxy/streamed-body.ts";

const open = (): { request: PassThrough; body: RequestBody; upload: Upload } => {
  const request = Object.assign(new PassThrough(), { headers: { "transfer-encoding": "chunked" } });
  let body: RequestBody | null = null;
  const limits = { maxBytes: 1e9, collectBytes: 0, collectAll: false };
  openRequestBody({ request: request as unknown as IncomingMessage }, limits, { onReady: (_, ready) => (body = ready), onTooLarge() {}, onProgress() {} });
  const upload = (body as RequestBody | null)?.open() as Upload;
  return { request, body: body as unknown as RequestBody, upload };
};

const sinkOf = (accepts = true): BodySink & { text(): string } => {
  const pieces: string[] = [];
  return {
    write(piece) {
      pieces.push(piece.toString());
      return accepts;
    },
    end: () => void pieces.push("."),
    text: () => pieces.join(""),
  };
};

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe("a streamed body", () => {
  it("is written to the second attempt from its first byte, and the first gets nothing more", async () => {
    const { request, upload } = open();
    const [first, second] = [sinkOf(), sinkOf()];
    upload.start(first);
    request.write("ab");
    await turn();
    upload.start(second);
    upload.stop(first);
    request.end("cd");
    await turn();
    expect([first.text(), second.text()]).toEqual(["ab", "abcd."]);
  });

  it("waits for a sink that takes no more, and flows away without one", async () => {
    const { request, upload, body } = open();
    const full = sinkOf(false);
    upload.start(full);
    request.write("a");
    await turn();
    request.write("b");
    await turn();
    expect(full.text()).toBe("a");
    upload.resume();
    await turn();
    expect(full.text()).toBe("ab");
    upload.stop(full);
    request.write("c");
    await turn();
    expect([full.text(), body.bytesIn()]).toEqual(["ab", 3]);
  });
});
