import { describe, expect, it } from "vitest";
import { isLoopback } from "../../src/lib/loopback.ts";

describe("what counts as this machine", () => {
  it.each(["localhost", "LOCALHOST", "127.0.0.1", "127.255.0.3", "::1", "[::1]"])("%s does", (host) => {
    expect(isLoopback(host)).toBe(true);
  });

  it.each(["", "localhost.", "localhost.example", "127.0.0.1.example", "127.1", "127.0.0.1.5", "127.0.0.256", "127.00.0.1", "128.0.0.1", "0.0.0.0", "::", "::ffff:127.0.0.1", "2130706433"])("%s does not", (host) => {
    expect(isLoopback(host)).toBe(false);
  });
});
