import { describe, expect, it } from "vitest";
import { isLoopback, namesOwnAddress, originOf } from "../../src/lib/host.ts";

describe("what counts as this machine", () => {
  it.each(["localhost", "LOCALHOST", "127.0.0.1", "127.255.0.3", "::1", "[::1]"])("%s does", (host) => {
    expect(isLoopback(host)).toBe(true);
  });

  it.each([
    "", "localhost.", "localhost.example", "127.0.0.1.example", "127.1", "127.0.0.1.5", "127.0.0.256", "127.00.0.1", "128.0.0.1", "0.0.0.0",
    "::", "::ffff:127.0.0.1", "2130706433",
  ])("%s does not", (host) => {
    expect(isLoopback(host)).toBe(false);
  });
});

it.each([
  ["127.0.0.1", "http://127.0.0.1:4001"],
  ["localhost", "http://localhost:4001"],
  ["box.lan", "http://box.lan:4001"],
  ["::1", "http://[::1]:4001"],
  ["[::1]", "http://[::1]:4001"],
  ["fd00::7", "http://[fd00::7]:4001"],
  ["0.0.0.0", "http://127.0.0.1:4001"],
  ["::", "http://127.0.0.1:4001"],
  ["[::]", "http://127.0.0.1:4001"],
])("a client on this machine reaches a server on %s at %s", (host, url) => {
  expect(originOf(host, 4001)).toBe(url);
  expect(URL.canParse(originOf(host, 4001))).toBe(true);
});

it.each([
  ["127.0.0.1:4001", "127.0.0.1", true],
  ["127.0.0.1:4001", "::ffff:127.0.0.1", true],
  ["[::1]:4001", "::1", true],
  ["127.0.0.1", "127.0.0.1", true],
  ["[::1]:4001", "127.0.0.1", false],
  ["127.0.0.1:4001", "::1", false],
  ["127.0.0.2:4001", "::ffff:127.0.0.1", false],
  ["localhost:4001", "127.0.0.1", false],
  ["", "127.0.0.1", false],
  ["127.0.0.1:4001", "172.17.0.2", true],
])("the Host %s on a connection that arrived at %s names the address itself, as far as that can be told: %s", (host, localAddress, expected) => {
  expect(namesOwnAddress(host, localAddress)).toBe(expected);
});
