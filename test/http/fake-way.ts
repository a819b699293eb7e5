// The connection of an answer as far as the answer can see it: what was written, and what it was told.
import type { Socket } from "node:net";
import { Writable } from "node:stream";

import { HttpResponse } from "../../src/http/response.ts";
import type { Asked } from "../../src/http/response.ts";

class FakeSocket extends Writable {
  readonly parts: Buffer[] = [];

  override _write(part: Buffer, _encoding: string, done: () => void): void {
    this.parts.push(part);
    done();
  }
}

/** An answer to what was `asked`, on a connection that takes everything. */
export const beginAnswer = (asked: Partial<Asked> = {}) => {
  const socket = new FakeSocket();
  const told: string[] = [];
  const response = new HttpResponse(
    { method: "GET", httpVersion: "1.1", keepAlive: true, ...asked },
    {
      socket: socket as unknown as Socket,
      keepAliveSeconds: 600,
      date: () => "Fri, 02 Jan 2026 12:00:00 GMT",
      destroy: () => void told.push("destroyed"),
      onEnded: () => void told.push("ended"),
      onWritten: () => void told.push("written"),
    },
  );
  return { response, told, wire: () => Buffer.concat(socket.parts) };
};
