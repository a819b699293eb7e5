// The operating system's key store, with and without the package that reaches it.
import { describe, expect, it } from "vitest";
import { openKeyring } from "../../src/storage/keyring.ts";
import { encryptionOf, storeIn, temporaryFolder } from "./kit.ts";

describe("the optional keyring package", () => {
  it("that is not installed is a sentence that says what to do", async () => {
    const dir = temporaryFolder();
    const encryption = encryptionOf({ mode: "keyring", keyring: () => openKeyring((name) => import(name)) });
    await expect(storeIn(dir, { encryption }).store.load()).rejects.toMatchObject({ code: "store-sealed", hint: expect.stringContaining("npm install @napi-rs/keyring") });
  });

  it.each(["null", "an exception"])("that knows no entry says so by %s", async (way) => {
    class Entry {
      getPassword(): string | null {
        if (way === "null") return null;
        throw new Error("No matching entry found in secure storage");
      }
      setPassword(): void {
        throw new Error("the secret value was refused");
      }
    }
    const keyring = await openKeyring(async () => ({ Entry }));
    expect(keyring.get("x")).toBeNull();
    expect(() => keyring.set("x", "value")).toThrow(expect.objectContaining({ code: "store-sealed", message: "the operating system's key store could not be written", cause: undefined }));
  });
});
