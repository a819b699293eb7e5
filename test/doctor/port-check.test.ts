import { expect, it } from "vitest";
import { portCheck } from "../../src/doctor/port-check.ts";
import type { Running } from "../../src/cli/running.ts";

const health = { status: "ok", version: "1.2.3", uptime_seconds: 1, mode: "oauth", accounts: [], in_flight: 0, requests_total: 0 };
const url = "http://127.0.0.1:4001";
const status = (running: Running, fault: string | null = null, port = 4001) => portCheck({ host: "127.0.0.1", port, running, fault }).status;

it("free and ours are fine, another folder's is a warning, another program's is a problem", () => {
  expect([status({ is: "none" }), status({ is: "ours", url, health }), status({ is: "other-folder", url, health }), status({ is: "foreign", url }), status({ is: "none" }, null, 0)]).toEqual(["ok", "ok", "warning", "problem", "ok"]);
});

const found = (fault: string) => portCheck({ host: "127.0.0.1", port: 80, running: { is: "none" }, fault });

it("a port on which nobody may listen says why", () => {
  expect(found("EACCES")).toMatchObject({ status: "problem", found: "nobody can listen on 127.0.0.1:80 (EACCES)", advice: expect.stringContaining("1024") });
  expect(found("EADDRINUSE").advice).toContain("--port");
  expect(found("EADDRNOTAVAIL").advice).toContain("server.host");
});
