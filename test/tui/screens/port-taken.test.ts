import { describe, expect, it } from "vitest";
import { portTakenText } from "../../../src/tui/screens/port-taken.tsx";

const facts = { version: "0.1.0", host: "127.0.0.1", port: 4001, other: null, nextPort: 4002 } as const;

describe("the text for a taken port", () => {
  it("does not offer to use a program that is not ours, and offers a free port only when there is one", () => {
    const text = portTakenText({ ...facts, nextPort: null });
    expect(text).toContain("Another program holds it.");
    expect(text).not.toMatch(/^ {2}[an] {2}/m);
    expect(text).toContain("--port N");
  });

  it("a version from the other side cannot move the cursor", () => {
    const text = portTakenText({ ...facts, other: { version: "1.0\u001b[2J\u009b1m\n", uptimeSeconds: 5 } });
    // oxlint-disable-next-line no-control-regex -- the escapes to look for
    expect(text).not.toMatch(/[\u001b\u009b]/);
    expect(text).toContain("(1.0·[2J·1m·, up 5s)");
  });
});
