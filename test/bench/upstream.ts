// The fastest upstream that still speaks HTTP/1.1: bare sockets, one fixed JSON answer, or one server-sent event a second
// that carries the time it was written. A stream with an id is remembered by the moment its connection closed, which
// `GET /closed` tells. Times are those of the machine (process.hrtime), the same in every process.
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";

const json = (text: string): string => `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nrequest-id: req_bench\r\ncontent-length: ${text.length}\r\n\r\n${text}`;

const usage = { input_tokens: 12, output_tokens: 200, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 };
const message = { id: "msg_bench", type: "message", role: "assistant", model: "claude-bench", content: [{ type: "text", text: "x".repeat(800) }], stop_reason: "end_turn", usage };
const answer = Buffer.from(json(JSON.stringify(message)));
const streamHead = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nrequest-id: req_bench\r\ntransfer-encoding: chunked\r\n\r\n";

const closedAt: Record<string, string> = {};

const writeEvent = (socket: Socket): void => {
  const data = { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "x".repeat(100) }, at: String(process.hrtime.bigint()) };
  const text = `event: content_block_delta\ndata: ${JSON.stringify(data)}\n\n`;
  socket.write(`${text.length.toString(16)}\r\n${text}\r\n`);
};

/** Each stream has its own beat, spread over the second. */
const openStream = (socket: Socket, id: string | undefined): void => {
  socket.write(streamHead);
  let beat: NodeJS.Timeout | undefined;
  const first = setTimeout(() => {
    writeEvent(socket);
    beat = setInterval(writeEvent, 1000, socket);
  }, Math.random() * 1000);
  socket.once("close", () => {
    if (id !== undefined) closedAt[id] = String(process.hrtime.bigint());
    clearTimeout(first);
    clearInterval(beat);
  });
};

const respond = (socket: Socket, head: string): void => {
  if (head.startsWith("GET /closed ")) socket.write(json(JSON.stringify(closedAt)));
  else if (/^POST \S*[?&]stream/.test(head)) openStream(socket, /^\S+ \S*&id=(\d+)/.exec(head)?.[1]);
  else socket.write(answer);
};

const serve = (socket: Socket): void => {
  let head = "";
  let bodyLeft = 0;
  socket.setNoDelay(true);
  socket.on("error", () => socket.destroy());
  socket.on("data", (bytes) => {
    if (bodyLeft > 0) bodyLeft -= bytes.length;
    else {
      head += bytes.toString("latin1");
      const end = head.indexOf("\r\n\r\n");
      if (end < 0) return;
      bodyLeft = Number(/content-length: *(\d+)/i.exec(head.slice(0, end))?.[1] ?? 0) - (head.length - end - 4);
    }
    if (bodyLeft > 0) return;
    respond(socket, head);
    head = "";
  });
};

const server = createServer(serve).listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on("disconnect", () => process.exit(0));
