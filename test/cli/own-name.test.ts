import { describe, expect, it } from "vitest";
import { ownName } from "../../src/cli/own-name.ts";

const facts = { environment: { PATH: "/clone/node_modules/.bin:/usr/bin" }, launch: ["/opt/node", "/clone/bin/it.js"], dir: "/home/ada/.config/x", usualDir: "/home/ada/.config/x" };
const nowhere = (): boolean => false;

describe("the name under which this program can be called", () => {
  it("is the plain one when a folder of the PATH has it", () => {
    expect(ownName(facts, (path) => path === "/usr/bin/claude-oauth-proxy")).toBe("claude-oauth-proxy");
  });

  it("does not count the folder that npm puts in front for its own scripts", () => {
    expect(ownName(facts, (path) => path.startsWith("/clone"))).toBe("/opt/node /clone/bin/it.js");
  });

  it("is npx where npx started it", () => {
    expect(ownName({ ...facts, environment: { npm_command: "exec" } }, nowhere)).toBe("npx claude-oauth-proxy");
  });

  it("names the data folder when it is not the usual one, quoted", () => {
    expect(ownName({ ...facts, dir: "/tmp/it's here" }, nowhere)).toBe("/opt/node /clone/bin/it.js --dir '/tmp/it'\\''s here'");
  });
});
