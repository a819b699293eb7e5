import { expect, it } from "vitest";

import { isEventStream, mediaTypeOf } from "../../src/lib/media-type.ts";

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
