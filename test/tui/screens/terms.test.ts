import { describe, expect, it } from "vitest";
import { termsLink, termsNotice } from "../../../src/tui/screens/terms.tsx";

describe("the notice about the provider's terms", () => {
  it.each([30, 40, 80, 120])("at %i columns says whose terms, what they say, that the choice is the person's, and the three ways", (columns) => {
    const text = termsNotice(columns);
    const flat = text.replace(/\s+/g, " ");
    for (const part of ["Anthropic's terms", "own applications", "for you to decide", "go on and sign in", "use an API key", "pass-through"]) expect(flat).toContain(part);
    expect(text.split("\n")).toContain(termsLink);
    for (const line of text.split("\n").filter((row) => row !== termsLink)) expect(line.length).toBeLessThan(columns);
  });
});
