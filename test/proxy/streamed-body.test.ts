// A streamed body and the attempts that read it.
import { describe, expect, it } from "vitest";

import { HttpRequest } from "../../src/http/request.ts";
import { openRequestBody } from "../../src/proxy/request-body.ts";
import type { RequestBody } from "../../src/proxy/request-body.ts";
import type { BodySink, Upload } from "../../src/proxy/streamed-body.ts";

const open = (): { request: HttpRequest; body: RequestBody; upload: Upload } => {
  const head = { method: "POST", target: "/", httpVersion: "1.1", rawHeaders: [], framing: "chunked", keepAlive: true } as const;
  const request = new HttpRequest(head, { remoteAddress: undefined, onPace() {} });
  let body: RequestBody | null = null;
  const limits = { maxBytes: 1e9, collectBytes: 0, collectAll: false };
  openRequestBody({ request }, limits, { onReady: (_, ready) => (body = ready), onTooLarge() {}, onProgress() {} });
  const upload = (body as RequestBody | null)?.open() as Upload;
  return { request, body: body as unknown as RequestBody, upload };
};

const sinkOf = ({ accepts = true, isFlushed = true } = {}): BodySink & { text(): string } => {
  const pieces: string[] = [];
  return {
    isFlushed,
    write(piece) {
      pieces.push(piece.toString());
      return accepts;
    },
    end: () => void pieces.push("."),
    text: () => pieces.join(""),
  };
};

describe("a streamed body", () => {
  it("is written to the second attempt from its first byte, and the first gets nothing more", () => {
    const { request, upload } = open();
    const [first, second] = [sinkOf(), sinkOf()];
    upload.start(first);
    request.push(Buffer.from("ab"));
    upload.start(second);
    upload.stop(first);
    request.push(Buffer.from("cd"));
    request.end();
    expect([first.text(), second.text()]).toEqual(["ab", "abcd."]);
  });

  it("waits for a sink that takes no more, and flows away without one", () => {
    const { request, upload, body } = open();
    const full = sinkOf({ accepts: false });
    upload.start(full);
    request.push(Buffer.from("a"));
    request.push(Buffer.from("b"));
    expect(full.text()).toBe("a");
    upload.resume();
    expect(full.text()).toBe("ab");
    upload.stop(full);
    request.push(Buffer.from("c"));
    expect([full.text(), body.bytesIn()]).toEqual(["ab", 3]);
  });

  it("gives the memory of its reads back when the answer begins and the kernel has all of it", () => {
    const { request, upload, body } = open();
    upload.start(sinkOf());
    const piece = Buffer.alloc(64 * 1024);
    request.push(piece);
    body.release();
    expect(piece.buffer.byteLength).toBe(0);
  });

  it("leaves it to the collector while the kernel has not, and where more than one attempt was made", () => {
    const [one, two] = [open(), open()];
    one.upload.start(sinkOf({ isFlushed: false }));
    two.upload.start(sinkOf());
    const pieces = [Buffer.alloc(64 * 1024), Buffer.alloc(64 * 1024), Buffer.alloc(64 * 1024)] as const;
    one.request.push(pieces[0]);
    two.request.push(pieces[1]);
    two.upload.start(sinkOf());
    one.body.release();
    two.body.release();
    const three = open();
    three.upload.start(sinkOf());
    three.request.push(pieces[2]);
    three.body.close();
    expect(pieces.map(({ length }) => length)).toEqual(pieces.map(() => 64 * 1024));
    expect([one, two, three].map(({ body }) => body.isReplayable())).toEqual([false, false, false]);
  });
});
