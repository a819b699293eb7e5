// The exchanges of one connection, behind a bare node:http server: how far it is read ahead of the one under way.
import { createServer } from "node:http";
import type { ServerResponse } from "node:http";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { createSystemClock } from "../../src/lib/clock.ts";
import { createConnections } from "../../src/server/connections.ts";
import { standsStill } from "../proxy/stands-still.ts";

it("a client that sends ahead without end is not read without end, and each of its requests gets its turn", { timeout: 30_000 }, async () => {
  const connections = createConnections(createSystemClock());
  const begun: ServerResponse[] = [];
  let announced = 0;
  const server = createServer((request, response) => {
    announced += 1;
    connections.enqueue({ request, response, requestId: String(announced) }, () => begun.push(response));
  });
  server.on("connection", connections.accept).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const client = connect({ port: (server.address() as AddressInfo).port, host: "127.0.0.1" });
  onTestFinished(() => {
    client.destroy();
    server.close();
  });
  const requests = 8000;
  client.resume().write("GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(requests));
  // One read of 64 KiB holds 2,500 of them.
  expect(await standsStill(() => announced)).toBeLessThan(6000);
  expect(begun).toHaveLength(1);
  for (let index = 0; index < requests; index += 1) {
    while (begun.length <= index) await new Promise((resolve) => setImmediate(resolve));
    expect(announced - index).toBeLessThan(6000);
    begun[index]?.end();
  }
  expect([announced, begun.length]).toEqual([requests, requests]);
});
