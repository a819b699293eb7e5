// `logout`: which account is meant, and what happens without one.
import { describe, expect, it, vi } from "vitest";
import { account, fakeContext } from "../fake-context.ts";

const removeOne = () => vi.fn(async (id: string | null) => ({ removed: [id ?? "every"] }));

const said = async (removed: readonly string[], accounts = [account("a")]): Promise<string> => {
  const context = fakeContext({ accounts, commands: { logout: async () => ({ removed }) } });
  await context.run("logout");
  return context.said.err();
};

describe("logout", () => {
  it("takes the only account there is, the named one, or all of them", async () => {
    const commands = { logout: removeOne() };
    await fakeContext({ accounts: [account("only")], commands }).run("logout");
    await fakeContext({ accounts: [account("a"), account("b")], commands }).run("logout", "b");
    await fakeContext({ accounts: [account("a"), account("b")], commands }).run("logout", "--all");
    expect(commands.logout.mock.calls).toEqual([["only"], ["b"], [null]]);
  });

  it("says which accounts were signed out, or that there was none", async () => {
    expect(await said(["a", "b"])).toBe("signed out: a, b\n");
    expect(await said([])).toBe("there was no account to sign out\n");
    expect(await said([], [])).toBe("there is no account to sign out\n");
  });

  it("does not guess between several, and has nothing to do without any", async () => {
    const context = fakeContext({ accounts: [account("a"), account("b")] });
    expect(await context.run("logout")).toBe(2);
    expect(context.said.err()).toContain("a, b");
    expect(await fakeContext().run("logout")).toBe(0);
    expect(await fakeContext({ accounts: [account("a")] }).run("logout", "a", "--all")).toBe(2);
  });
});
