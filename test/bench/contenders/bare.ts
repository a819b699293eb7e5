// The least a Node proxy can do on the same two parts: node:http in front, an undici pool behind, byte for byte. It
// keeps what any proxy must: a slow client slows the upstream down, and a client that leaves ends the upstream's work.
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Pool } from "undici";
import { announce } from "./announce.ts";

const pool = new Pool(`http://127.0.0.1:${process.env["UPSTREAM_PORT"]}`, { allowH2: false, pipelining: 1, bodyTimeout: 0, headersTimeout: 0 });

const ofOneHop = new Set(["connection", "host"]);

const forward = (request: IncomingMessage, response: ServerResponse): void => {
  const headers = request.rawHeaders.filter((_, index, all) => !ofOneHop.has(all[index - (index % 2)]?.toLowerCase() ?? ""));
  pool.dispatch(
    { method: request.method as "POST", path: request.url ?? "/", headers, body: request },
    {
      onRequestStart(controller) {
        response.on("drain", () => controller.resume());
        response.once("close", () => {
          if (!response.writableFinished) controller.abort(new Error("the client left"));
        });
      },
      onResponseStart(_, status, answerHeaders) {
        response.writeHead(status, answerHeaders);
        response.flushHeaders();
      },
      onResponseData(controller, bytes) {
        if (!response.write(bytes)) controller.pause();
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
