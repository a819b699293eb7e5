// Settings that are wrong are told, and the rest is still used.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readSettings } from "../../src/doctor/usable-settings.ts";
import { fakeContext } from "../cli/fake-context.ts";

const read = (file: string | null, environment: Record<string, string> = {}, set: readonly string[] = []) => {
  const context = fakeContext({ environment });
  mkdirSync(context.dir, { recursive: true });
  if (file !== null) writeFileSync(join(context.dir, "config.json"), file);
  return readSettings(context, { positionals: [], options: {}, global: { dir: context.dir, set, ascii: false } });
};

it("good ones are used", () => {
  expect(read('{"server":{"port":5001}}')).toMatchObject({ exists: true, problems: [], config: { server: { port: 5001 } } });
  expect(read(null)).toMatchObject({ exists: false, problems: [], config: { server: { port: 4001 } } });
});

it("a torn file is one problem, and the environment counts all the same", () => {
  const settings = read("{ torn", { CLAUDE_OAUTH_PROXY_SERVER__PORT: "5002" });
  expect(settings).toMatchObject({ problems: [expect.stringContaining("not a JSON object")], config: { server: { port: 5002 } } });
});

it("wrong values in the file, in the environment or on the command line fall back step by step", () => {
  expect(read('{"server":{"port":"x"}}', {}, ["server.drainSeconds=7"])).toMatchObject({ problems: [expect.stringContaining("server.port")], config: { server: { port: 4001, drainSeconds: 7 } } });
  expect(read(null, { CLAUDE_OAUTH_PROXY_SERVER__PORT: "x" }, ["server.drainSeconds=7"])).toMatchObject({ problems: [expect.stringContaining("SERVER__PORT")], config: { server: { drainSeconds: 7 } } });
  expect(read(null, {}, ["no.such=1"])).toMatchObject({ problems: [expect.stringContaining("no.such")], config: { server: { port: 4001 } } });
});
