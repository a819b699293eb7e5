// Text from others that is made to be slow. What costs more than its length holds up every stream at the first long paste; a cost is
// compared with that of a text of an eighth of the length.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { readLimits } from "../src/accounts/limits.ts";
import { askLine } from "../src/cli/prompt.ts";
import type { Input } from "../src/cli/context.ts";
import { chooseCommand } from "../src/cli/parse-args.ts";
import { checkText } from "../src/config/text.ts";
import { certificatesIn } from "../src/doctor/network-checks.ts";
import { readAnswer } from "../src/doctor/raw-client.ts";
import { readErrorBody } from "../src/lib/error-body.ts";
import { html } from "../src/lib/html.ts";
import { retryAfterMs } from "../src/lib/http-fields.ts";
import { asciiJson } from "../src/lib/json.ts";
import { createRedact, withoutEmail, withoutSecrets } from "../src/lib/redact.ts";
import { secret } from "../src/lib/secret.ts";
import { createSecretFilter } from "../src/lib/secret-filter.ts";
import { visibleText } from "../src/lib/visible-text.ts";
import { webAddress } from "../src/lib/web-address.ts";
import { createTextFormat } from "../src/log/format.ts";
import { identityQuestion } from "../src/messages/identity.ts";
import { readCallbackQuery } from "../src/oauth/callback-query.ts";
import { readPastedCode } from "../src/oauth/pasted-code.ts";
import { createShortLink } from "../src/oauth/short-link.ts";
import { modelAsked } from "../src/proxy/models.ts";
import { requestHeaders } from "../src/proxy/header-policy.ts";
import { createStreamScan } from "../src/proxy/stream-scan.ts";
import { checkTarget } from "../src/proxy/target.ts";
import { createMessageStream } from "../src/proxy/usage.ts";
import { createChecks } from "../src/server/checks.ts";
import { readFields, receivedEvent, shownPath } from "../src/server/request-info.ts";
import { createSessions } from "../src/server/sessions.ts";
import { parseStore } from "../src/storage/accounts-format.ts";
import { parseImport } from "../src/storage/import.ts";
import { createClipboardReader } from "../src/tui/edges/clipboard.ts";
import { maskPaste } from "../src/tui/login/text.ts";
import { safe, wrap } from "../src/tui/text.ts";
import { createFakeClock } from "./helpers/fake-clock.ts";
import { growth, growthOf } from "./helpers/growth.ts";

/** Parts of hostile texts; each is repeated up to the length that is asked for. */
const parts = [
  " ", "a", "(", "\"'", "\u0301", "a#", "@a.", "\n ", " \t", "%41", "/", "/.;", "://", "eyJ-", "sk-ant-", "code=a&", "&a=", "[", "{\"a\":", "\\", "1", ",", ":0", "<", "\u202e", "😀", "-",
  "Bearer ", "cookie=", "-----BEGIN CERTIFICATE-----",
] as const;

const repeated = (part: string, length: number): string => part.repeat(Math.ceil(length / part.length)).slice(0, length);

/** Eight times as much is 16 KB, at which what grows with the square takes a hundred times as long as the rest. */
const eighth = 2048;

const clock = createFakeClock();
const random = (size: number): Uint8Array => new Uint8Array(size);
const sessions = createSessions({ random, clock, port: 4001 });
const checks = createChecks({ mode: "oauth", key: secret("k".repeat(43)), keyRequired: true, host: "127.0.0.1", port: 4001, allowedHosts: [], allowedOrigins: [], sessions });
const redact = createRedact(() => [secret("a-secret-of-ours")]);
const filter = createSecretFilter();
filter.update(["a".repeat(100), "sk-ant-".repeat(20), "%41".repeat(30), " passphrase "].map(secret), 0);
const infoWith = (text: string) => ({
  method: "POST",
  target: `/v1/${text}`,
  httpVersion: "1.1",
  fields: readFields(["Host", text, "Origin", text, "User-Agent", text, "Authorization", `Bearer ${text}`, "X-Claude-Code-Session-Id", text, "Cookie", text]),
});
const link = createShortLink({
  random, clock, origin: "http://localhost:4001", expiresAt: 1, returningPage: "", codePage: "", onWithdrawn() {}, onContested() {},
});
const expected = { states: [secret("s".repeat(43))], links: ["https://claude.ai/oauth/authorize?state=s"] };

/** Every function that text from outside reaches first. */
const readers: Readonly<Record<string, (text: string) => unknown>> = {
  "a pasted code": (text) => readPastedCode(text, expected),
  "a pasted code behind a beginning": (text) => readPastedCode(`c${text}#`, expected),
  "a pasted address": (text) => readPastedCode(`https://x.example/callback?code=${text}`, expected),
  "the mask of a paste": (text) => maskPaste(text, ["s"]),
  "the query of a callback": readCallbackQuery,
  "a visit of the sign-in's link": (text) => [link.open({ token: text, cookie: text, host: text }), shownPath(`/login/${text}`, 80), shownPath(text, 80)],
  "the question about a person": (text) => identityQuestion({ kind: "oauth", accountId: "a", email: text, organization: text, replaces: { kind: "oauth", email: text, organization: "b" } }),
  "a request's head": (text) => [checks.screen(infoWith(text)), checks.unlock(infoWith(text), "page"), receivedEvent(infoWith(text), "r")],
  "a request target": (text) => checkTarget(`/v1/${text}`),
  "a list of fields": (text) => readFields(text.split("a")),
  "fields on their way upstream": (text) => requestHeaders(["Authorization", `Bearer ${text}`, text, text, "Connection", text], null, secret("k")),
  "the body of a request": (text) => modelAsked(Buffer.from(`{"max_tokens":1,${text}`)),
  "an error body": (text) => [readErrorBody(text), readErrorBody(JSON.stringify({ error: { type: text, message: text }, request_id: text }), { sent: [secret("a".repeat(20))] })],
  "an error of the token endpoint": (text) => readErrorBody(JSON.stringify({ error: text, error_description: text, error_uri: text }), { longest: 2000 }),
  "a stream of events": (text) => createStreamScan(() => {}).push(Buffer.from(`${text}\ndata: ${text}\n\n`)),
  "an event of a stream": (text) => createMessageStream(() => []).read("", text),
  "headers of limits": (text) => readLimits({
    "anthropic-ratelimit-unified-5h-status": text, [`anthropic-ratelimit-unified-${text}-reset`]: text,
    "anthropic-ratelimit-unified-representative-claim": text,
  }),
  "a Retry-After": (text) => retryAfterMs(text, 0),
  "visible text": (text) => visibleText(text),
  "text without e-mail addresses": withoutEmail,
  "a sentence of a server": (text) => withoutSecrets(text, [secret("a".repeat(20))]),
  "a text with held secrets in it": (text) => filter.clean(`${text}…`),
  "an address": webAddress,
  "a line of the log": redact,
  "an event as a line": (text) => createTextFormat(redact)({ type: "notice", level: "info", code: "x", message: text, hint: text, at: 0, seq: 1 }),
  "HTML": (text) => html`<p>${text}</p>`.toString(),
  "JSON": asciiJson,
  "a line of the screen": (text) => wrap(safe(text, { ascii: false }), 40),
  "a setting": (text) => [checkText("server.host", text), checkText("rateLimit.auth", text), checkText("oauth.tokenUrl", `https://${text}`), checkText("models.map", text)],
  "arguments": (text) => wrongArguments(["status", `--${text}`], ["--mode", text], [text], ["status", text]),
  "a credentials file": parseStore,
  "a file to import": (text) => [parseImport(text, 0), parseImport(JSON.stringify({ [text]: { access_token: "t", expires_at: text }, [`a${text}\n`]: { access_token: "t" } }), 0)],
  "a file of certificates": certificatesIn,
  "an answer on the wire": (text) => readAnswer(Buffer.from(`HTTP/1.1 200 OK\r\nx: a${text}b\r\n\r\n`)),
};

const wrongArguments = (...lines: readonly (readonly string[])[]): void => {
  for (const line of lines) {
    try {
      chooseCommand(line, "0", () => {});
    } catch {}
  }
};

const terminalLine = async (text: string): Promise<unknown> => {
  const stream = new PassThrough({ highWaterMark: 1_048_576 });
  const stdin = Object.assign(stream, { isTTY: true, setRawMode() {} }) as unknown as Input;
  const answer = askLine({ stdin, write() {}, question: "" });
  stream.end(text);
  return answer;
};
const clipboard = (text: string): Promise<unknown> => createClipboardReader({ env: {}, clock, load: async () => ({ read: async () => text, write: async () => {} }) })();

describe("a long text", () => {
  it.each(Object.keys(readers))("is read in linear time: %s", (name) => {
    const read = readers[name] ?? (() => {});
    expect(growth(eighth, (length) => parts.forEach((part) => read(repeated(part, length))))).toBeLessThan(4);
  });

  it.each<[string, (text: string) => Promise<unknown>]>([
    ["typed or pasted at a question", terminalLine],
    ["blank lines at a question", (text) => terminalLine(" ".repeat(text.length) + "\r".repeat(text.length))],
    ["corrected again and again at a question", (text) => terminalLine(text + "a\u007f".repeat(text.length))],
    ["in the clipboard", clipboard],
    ["of codes in the clipboard", (text) => clipboard(`${text.replaceAll("a", "a#")} b`)],
  ])("is read in linear time: %s", async (_, read) => {
    expect(await growthOf(eighth, (length) => Promise.all(["a", " ", "a#", "code=a&"].map((part) => read(repeated(part, length)))))).toBeLessThan(4);
  });
});

const source = join(import.meta.dirname, "../src");

// A regular expression begins where a value can: behind an operator, a bracket, a comma or `return`.
const literal = /(?<=[=(,[:?&|!>]\s*|return |^\s+)\/(?![*/])((?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+)\/([dgimsuvy]*)(?=[\s.,;)\]])/gm;

const expressions = readdirSync(source, { recursive: true, encoding: "utf8" })
  .filter((name) => /\.tsx?$/.test(name))
  .flatMap((name) => [...readFileSync(join(source, name), "utf8").matchAll(literal)].map(([, pattern = "", flags = ""]) => ({ name, pattern, flags })));

/** Fixed words of a pattern: what it looks for makes the best near miss. */
const wordsOf = (pattern: string): readonly string[] =>
  pattern.replace(/\\[dDwWsSpPbBu](?:\{[^}]*\})?/g, "\0").replace(/\\([./])/g, "$1").split(/[\^$*+?()[\]{}|\\\0]+/).filter((word) => word.length > 0 && word.length < 40);

describe("the regular expressions", () => {
  it("are found in the sources", () => {
    expect(expressions.length).toBeGreaterThan(150);
    expect(expressions.map(({ pattern }) => pattern)).toContain("sk-ant-[\\w-]+");
  });

  it.each(expressions.map((each) => [`/${each.pattern}/${each.flags} in ${each.name}`, each] as const))("read every text in linear time: %s", (_, { pattern, flags }) => {
    const expression = new RegExp(pattern, flags.replace("y", ""));
    const words = wordsOf(pattern);
    const units = new Set([...parts, ...words, ...words.flatMap((word) => [`${word}a`, `${word}-`, `${word} `])]);
    for (const unit of units) {
      for (const [start, end] of [["", ""], ["", "\0"], ["", "!\n"], ...words.slice(0, 3).map((word) => [word, "\0"] as const)] as const) {
        const read = (length: number): unknown => (start + repeated(unit, length) + end).replace(expression, "");
        if (isQuick(() => read(2 * eighth))) continue;
        expect(growth(eighth, read), JSON.stringify([start, unit, end])).toBeLessThan(4);
      }
    }
  });
});

/** What takes less at 4 KB is not worth a second look: with the square it is ten times as much. */
const isQuick = (work: () => void): boolean => {
  const before = performance.now();
  work();
  return performance.now() - before < 1;
};
