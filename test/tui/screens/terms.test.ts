import { describe, expect, it } from "vitest";
import { secret } from "../../../src/lib/secret.ts";
import { askTermsByLine, termsLink, termsNotice } from "../../../src/tui/screens/terms.tsx";

const answerTo = async (line: string | null): Promise<{ choice: string; said: string }> => {
  let said = "";
  const choice = await askTermsByLine({ write: (text) => (said += text), askLine: async () => (line === null ? null : secret(line)) });
  return { choice, said };
};

describe("the notice about the provider's terms", () => {
  it.each([30, 40, 80, 120])("at %i columns says whose terms, what they say, that the choice is the person's, and the three ways", (columns) => {
    const text = termsNotice(columns);
    const flat = text.replace(/\s+/g, " ");
    for (const part of ["Anthropic's terms", "own applications", "for you to decide", "go on and sign in", "use an API key", "pass-through"]) expect(flat).toContain(part);
    expect(text.split("\n")).toContain(termsLink);
    for (const line of text.split("\n").filter((row) => row !== termsLink)) expect(line.length).toBeLessThan(columns);
  });

  it("without a screen takes the letter or the name; anything else, and no answer, is no consent", async () => {
    for (const [line, choice] of [["y", "go-on"], [" K ", "api-key"], ["pass-through", "pass-through"], ["go-on", "go-on"]] as const) {
      expect((await answerTo(line)).choice).toBe(choice);
    }
    for (const line of [null, "", "yes please", "n", "aB3xCCCC#9f3c"]) expect((await answerTo(line)).choice).toBe("quit");
    expect((await answerTo(null)).said).toContain(termsLink);
  });
});
