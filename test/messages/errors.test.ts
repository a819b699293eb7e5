import { expect, it } from "vitest";
import { AppError, meaningOf, meanings } from "../../src/messages/errors.ts";

it("every code has an HTTP error status, a Messages API error type and an exit code", () => {
  for (const { status, type, exit } of Object.values(meanings)) {
    expect(status).toBeGreaterThanOrEqual(400);
    expect(type).toMatch(/^[a-z_]+$/);
    expect([1, 2, 3, 4]).toContain(exit);
  }
});

it("the codes that scripts rely on keep their exit codes", () => {
  expect([meaningOf("bad-usage").exit, meaningOf("sign-in-needed").exit, meaningOf("port-taken").exit]).toEqual([2, 3, 4]);
});

it("an error carries its code, its sentence, its hint and its cause", () => {
  const cause = new Error("EACCES");
  const error = new AppError({ code: "store-unwritable", message: "cannot write", hint: "chmod", cause });
  expect(error).toMatchObject({ name: "AppError", code: "store-unwritable", message: "cannot write", hint: "chmod", cause });
});
