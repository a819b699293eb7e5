import { expect, it } from "vitest";
import { clockCheck } from "../../src/doctor/clock-check.ts";

const now = Date.UTC(2027, 0, 1);
const check = (more: Partial<Parameters<typeof clockCheck>[0]>) => clockCheck({ now, installedAt: now - 1000, newestFileAt: now - 1000, ...more });

it("a clock after everything of ours is fine, a few seconds of a file server's do not count", () => {
  expect(check({}).status).toBe("ok");
  expect(check({ newestFileAt: now + 30_000 }).status).toBe("ok");
});

it("a clock before our files, or before the program was installed, is a warning with the gap", () => {
  expect(check({ newestFileAt: now + 7_200_000 })).toMatchObject({ status: "warning", found: expect.stringContaining("2h0m before the newest file") });
  expect(check({ installedAt: now + 7_200_000 })).toMatchObject({ status: "warning", found: expect.stringContaining("installed") });
});

it("a clock before the program was made is a problem", () => {
  expect(check({ now: 0 })).toMatchObject({ status: "problem", found: expect.stringContaining("1970-01-01") });
});
