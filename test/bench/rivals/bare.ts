// The least a Node proxy can do: hand the request to an undici pool and its answer back, byte for byte.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Pool } from "undici";
import { announce } from "./announce.ts";

const pool = new Pool(`http://127.0.0.1:${process.env.UPSTREAM_PORT}`, { allowH2: false, pipelining: 1, bodyTimeout: 0, headersTimeout: 0 });

const forward = (request: IncomingMessage, response: ServerResponse): void => {
  const headers = request.rawHeaders.filter((_, index, all) => all[index - (index % 2)]?.toLowerCase() !== "connection" && all[index - (index % 2)]?.toLowerCase() !== "host");
  pool.dispatch(
    { method: "POST", path: request.url ?? "/", headers, body: request },
    {
      onRequestStart(controller) {
        response.once("close", () => {
          if (!response.writableFinished) controller.abort(new Error("client left"));
        });
      },
      onResponseStart(_controller, status, answerHeaders) {
        response.writeHead(status, answerHeaders);
        response.flushHeaders();
      },
      onResponseData(_controller, bytes) {
        response.write(bytes);
      },
      onResponseEnd() {
        response.end();
      },
      onResponseError() {
        response.destroy();
      },
    },
  );
};

announce(createServer(forward));
