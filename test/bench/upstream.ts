// The fastest upstream that still speaks HTTP/1.1: raw sockets, one fixed JSON answer, or one server-sent
// event a second that carries the time it was written. Run as a child; tells its port by message.
import { createServer, type Socket } from "node:net";

const answerBody = JSON.stringify({
  id: "msg_bench",
  type: "message",
  role: "assistant",
  model: "claude-bench",
  content: [{ type: "text", text: "x".repeat(800) }],
  stop_reason: "end_turn",
  usage: { input_tokens: 12, output_tokens: 200, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 },
});
const answer = Buffer.from(
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nrequest-id: req_bench\r\ncontent-length: ${answerBody.length}\r\n\r\n${answerBody}`,
);
const streamHead = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nrequest-id: req_bench\r\ntransfer-encoding: chunked\r\n\r\n";
const streams = new Set<Socket>();

const chunk = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;

const event = (): string => {
  const data = { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "x".repeat(100) }, at: String(process.hrtime.bigint()) };
  return chunk(`event: content_block_delta\ndata: ${JSON.stringify(data)}\n\n`);
};

const openStream = (socket: Socket): void => {
  socket.write(streamHead);
  streams.add(socket);
  // Each stream has its own beat, spread over the second.
  const timer = setTimeout(() => {
    socket.write(event());
    const beat = setInterval(() => socket.write(event()), 1000);
    socket.once("close", () => clearInterval(beat));
  }, Math.random() * 1000);
  socket.once("close", () => {
    clearTimeout(timer);
    streams.delete(socket);
  });
};

const serve = (socket: Socket): void => {
  let head = "";
  let bodyLeft = 0;
  let stream = false;
  socket.setNoDelay(true);
  socket.on("error", () => socket.destroy());
  const finish = (): void => {
    if (stream) openStream(socket);
    else socket.write(answer);
    head = "";
  };
  socket.on("data", (bytes) => {
    if (bodyLeft > 0) {
      bodyLeft -= bytes.length;
      if (bodyLeft <= 0) finish();
      return;
    }
    head += bytes.toString("latin1");
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    const length = Number(/content-length: *(\d+)/i.exec(head.slice(0, end))?.[1] ?? 0);
    stream = /^POST \S*stream/.test(head);
    bodyLeft = length - (head.length - end - 4);
    if (bodyLeft <= 0) finish();
  });
};

const server = createServer(serve);
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.send?.({ port: typeof address === "object" ? address?.port : null });
});
process.on("message", (question) => {
  if (question === "streams") process.send?.({ streams: streams.size });
});
process.on("disconnect", () => process.exit(0));
