import { describe, expect, it } from "vitest";
import { dataDir, dataFiles } from "../../src/storage/paths.ts";
import type { Surroundings } from "../../src/storage/paths.ts";

const linux: Surroundings = { platform: "linux", env: {}, home: "/home/ann", cwd: "/srv" };
const windows: Surroundings = { platform: "win32", env: { APPDATA: "C:\\Users\\ann\\AppData\\Roaming" }, home: "C:\\Users\\ann", cwd: "C:\\work" };

describe("the data folder", () => {
  it.each<[string, Surroundings, string | undefined, string]>([
    ["Linux", linux, undefined, "/home/ann/.config/claude-oauth-proxy"],
    ["Linux with XDG_CONFIG_HOME", { ...linux, env: { XDG_CONFIG_HOME: "/xdg" } }, undefined, "/xdg/claude-oauth-proxy"],
    ["Linux with a relative XDG_CONFIG_HOME, which the specification says to ignore", { ...linux, env: { XDG_CONFIG_HOME: "xdg" } }, undefined, "/home/ann/.config/claude-oauth-proxy"],
    ["macOS", { ...linux, platform: "darwin", home: "/Users/ann" }, undefined, "/Users/ann/Library/Application Support/claude-oauth-proxy"],
    ["Windows", windows, undefined, "C:\\Users\\ann\\AppData\\Roaming\\claude-oauth-proxy"],
    ["Windows without APPDATA", { ...windows, env: {} }, undefined, "C:\\Users\\ann\\AppData\\Roaming\\claude-oauth-proxy"],
    ["the environment", { ...linux, env: { CLAUDE_OAUTH_PROXY_DIR: "/data" } }, undefined, "/data"],
    ["an empty environment variable", { ...linux, env: { CLAUDE_OAUTH_PROXY_DIR: "" } }, undefined, "/home/ann/.config/claude-oauth-proxy"],
    ["--dir before the environment, relative to the working folder", { ...linux, env: { CLAUDE_OAUTH_PROXY_DIR: "/data" } }, "mine", "/srv/mine"],
  ])("%s", (_, surroundings, flag, wanted) => {
    expect(dataDir(surroundings, flag)).toBe(wanted);
  });

  it("holds these files", () => {
    expect(dataFiles("/d")).toEqual({
      config: "/d/config.json", accounts: "/d/accounts.json", backup: "/d/accounts.json.bak", key: "/d/key", seal: "/d/accounts.json.seal", history: "/d/history.json", proxy: "/d/proxy.json",
      reserve: "/d/accounts.json.reserve", link: "/d/sign-in-link.txt", page: "/d/sign-in.html", locks: "/d/locks",
    });
    expect(dataFiles("C:\\d").key).toBe("C:\\d\\key");
  });
});
