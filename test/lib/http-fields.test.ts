import { describe, expect, it } from "vitest";
import { isEventStream, mediaTypeOf, retryAfterMs } from "../../src/lib/http-fields.ts";

const now = Date.UTC(2026, 0, 2, 12, 0, 0);

describe("Retry-After", () => {
  it.each([
    ["0", 0],
    ["12", 12_000],
    [" 1.5 ", 1500],
    ["Fri, 02 Jan 2026 12:00:30 GMT", 30_000],
    ["Friday, 02-Jan-26 12:00:30 GMT", 30_000],
    ["Fri Jan  2 12:00:30 2026 GMT", 30_000],
    ["Fri, 02 Jan 2026 11:00:00 GMT", 0],
    ["-1", null],
    ["soon", null],
    ["1e9", null],
    ["9999999999", null],
    ["", null],
    [null, null],
    [undefined, null],
    ["Fri".repeat(1000), null],
  ])("%j is %j ms", (field, ms) => {
    expect(retryAfterMs(field, now)).toBe(ms);
  });
});

it.each([
  ["application/json", "application/json"],
  ["Application/JSON; charset=utf-8", "application/json"],
  ["text/event-stream ;charset=utf-8", "text/event-stream"],
  ["", ""],
  [null, ""],
])("the media type of %j is %j", (contentType, mediaType) => {
  expect(mediaTypeOf(contentType)).toBe(mediaType);
});

it("an event stream is one in any spelling, and nothing that only begins like it", () => {
  expect(["text/event-stream", "Text/Event-Stream; charset=utf-8", "text/event-streams", "application/json", null].map(isEventStream)).toEqual([true, true, false, false, false]);
});
