// Whatever is cut, in whatever order: a request that was let in is finished exactly once, and nothing
// stays open. The order of cuts is drawn at random; every draw runs over real sockets.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { eventually } from "../helpers/eventually.ts";
import { createFakeClock } from "../helpers/fake-clock.ts";
import { aCredential, openHarness } from "./harness.ts";
import { openRawClient, post } from "./raw-client.ts";
import { chunk, lastChunk, openRawUpstream, reply, streamHead } from "./raw-upstream.ts";

const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

/** What the upstream does with one request. */
const answers = {
  nothing: () => "",
  refuses: () => null,
  whole: () => reply("200 OK", "fine"),
  unauthorized: () => reply("401 Unauthorized", "expired"),
  limited: () => reply("429 Too Many Requests", "slow"),
  opens: () => `${streamHead}${chunk("data: 1\n\n").toString()}`,
  streams: () => `${streamHead}${chunk("data: 1\n\n").toString()}${lastChunk}`,
  short: () => "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc",
  garbage: () => "what?",
} as const;

const cuts = ["client leaves", "upstream resets", "upstream ends", "time passes", "refresh answers", "refresh fails", "drain ends", "a turn"] as const;
type Cut = (typeof cuts)[number];

type Game = {
  readonly answer: keyof typeof answers;
  readonly order: readonly Cut[];
  /** A body that is streamed, not collected. */
  readonly large: boolean;
  /** When the cutting begins, and how much room each cut leaves. */
  readonly from: "the attempt" | "its arrival" | "its answer";
  readonly pause: number;
};

const play = async ({ answer, order, large, from, pause }: Game): Promise<void> => {
  const clock = createFakeClock();
  const cut = new AbortController();
  const renewals: ((ok: boolean) => void)[] = [];
  const upstream = await openRawUpstream(({ socket }) => {
    const bytes = answers[answer]();
    if (bytes === null) socket.destroy();
    else socket.write(bytes);
  });
  const harness = await openHarness({
    baseUrl: upstream.baseUrl,
    clock,
    cut: cut.signal,
    settings: { headersTimeoutMs: 1000, silenceSeconds: 1, retry: { maxRetries: 1, delayMs: 100, statuses: [429] } },
    credentials: {
      acquire: () => ({ ok: true, credential: aCredential() }),
      renew: () =>
        new Promise((resolve) => {
          renewals.push((ok) => resolve(ok ? { ok, credential: aCredential("newer") } : { ok, code: "sign-in-needed", message: "no", hint: "", retryAfterSeconds: null }));
        }),
      elsewhere: () => null,
      observe() {},
    },
  });
  const client = await openRawClient(harness.port);
  const acts: Record<Cut, () => unknown> = {
    "client leaves": () => client.socket.destroy(),
    "upstream resets": () => upstream.requests.at(-1)?.socket.resetAndDestroy(),
    "upstream ends": () => upstream.requests.at(-1)?.socket.end(),
    "time passes": () => clock.advance(1100),
    "refresh answers": () => renewals.shift()?.(true),
    "refresh fails": () => renewals.shift()?.(false),
    "drain ends": () => cut.abort(),
    "a turn": () => turns(1),
  };
  const began = (): boolean => renewals.length > 0 || ["response.started", "attempt.failed", "request.finished"].some((type) => harness.events.some((event) => event.type === type));
  client.send(post(large ? Buffer.alloc(700_000, "b") : "{}"));
  await harness.until(() => harness.of("attempt.started").length > 0);
  if (from !== "the attempt") await upstream.until((up) => up.requests.length > 0);
  if (from === "its answer" && answer !== "nothing") await eventually(began, (is) => is);
  for (const act of order) {
    await acts[act]();
    await turns(pause);
  }
  client.socket.destroy();
  await harness.finished();
  // Whatever comes late has to come before the count.
  for (const renewal of renewals.splice(0)) renewal(true);
  await clock.advance(5000);
  await turns(5);
  // Fails when anything is left, or finished twice.
  await harness.close();
  await upstream.close();
};

describe("an exchange", () => {
  it("ends exactly once, whatever is cut in whatever order", { timeout: 60_000 }, async () => {
    const game = fc.record({
      answer: fc.constantFrom(...(Object.keys(answers) as (keyof typeof answers)[])),
      order: fc.array(fc.constantFrom(...cuts), { maxLength: 6 }),
      large: fc.boolean(),
      from: fc.constantFrom("the attempt", "its arrival", "its answer"),
      pause: fc.integer({ min: 0, max: 6 }),
    });
    await expect(fc.assert(fc.asyncProperty(game, play), { numRuns: 300 })).resolves.toBe(undefined);
  });
});
