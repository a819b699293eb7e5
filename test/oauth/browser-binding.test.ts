// A sign-in belongs to the browser that opened its link: who else may do what with the two open addresses.
import { describe, expect, it } from "vitest";
import type { TokenAnswer } from "../../src/messages/tokens.ts";
import { createStory, grantedAnswer } from "./login-story.ts";

const tokenOf = (url: string | null | undefined): string => url?.split("/login/")[1] ?? "";

const notices = ({ events }: ReturnType<typeof createStory>): readonly string[] => events.flatMap((event) => (event.type === "notice" ? event.message : []));

describe("the short link of a sign-in", () => {
  it("has 64 random bits, fits 40 columns with the usual port, and is new each time", () => {
    const { flow } = createStory();
    const links = [1, 2].map(() => flow.start({}).shortUrl ?? "");
    for (const link of links) expect(link).toMatch(/^http:\/\/localhost:4001\/login\/[\w-]{11}$/);
    expect(new Set(links).size).toBe(2);
    expect(links[0]?.length).toBeLessThanOrEqual(40);
  });

  it("leads to the page that comes back, gives a short-lived cookie, and works again for that browser only (A26)", () => {
    const story = createStory();
    const { flow } = story;
    const token = tokenOf(flow.start({}).shortUrl);
    const first = flow.openLink({ token, cookie: null, host: "localhost:4001" });
    if (first.result !== "open") throw new Error(first.result);
    expect(new URL(first.location).searchParams.get("redirect_uri")).toBe("http://localhost:4001/callback");
    expect(first.setCookie).toMatch(/^claude_oauth_proxy_sign_in_4001_[\w-]{8}=[\w-]{43}; Max-Age=600; Path=\/; HttpOnly; SameSite=Lax$/);
    const cookie = first.setCookie?.split(";")[0] ?? "";
    for (const other of [null, "", cookie.slice(0, -1), `x=${cookie.split("=")[1]}`]) expect(flow.openLink({ token, cookie: other, host: "localhost:4001" }).result).toBe("used");
    expect(flow.openLink({ token, cookie: `other=1; ${cookie}`, host: "localhost:4001" })).toEqual(first);
    expect(notices(story)).toEqual([expect.stringContaining("A second browser came with the sign-in link")]);
  });

  it("is withdrawn by ten wrong tries, which the screen is told; a paste still works, and so does the browser that has it (A26)", async () => {
    const story = createStory();
    const { flow, paste, codes, visit, browser } = story;
    const token = tokenOf(flow.start({}).shortUrl);
    visit();
    const wrong = [`${token}x`, token.slice(1), "", token.toUpperCase(), "AAAAAAAAAAA"];
    for (const tried of [...wrong, ...wrong].slice(1)) expect(flow.openLink({ token: tried, cookie: null, host: "localhost:4001" }).result).toBe("unknown");
    expect(visit()).toContain("authorize");
    expect(notices(story)).toEqual([]);
    flow.openLink({ token: "x", cookie: null, host: "localhost:4001" });
    expect(notices(story)).toEqual(["Ten wrong tries: the short sign-in link does not work any more. A code can still be pasted."]);
    expect(flow.pending()?.shortUrl).toBeNull();
    for (const cookie of [null, browser.cookies]) expect(flow.openLink({ token, cookie, host: "localhost:4001" }).result).toBe("unknown");
    expect(JSON.stringify(story.events)).not.toContain(token);
    expect(await paste(codes().paste)).toMatchObject({ outcome: "signed-in" });
  });

  it("is open only while its sign-in is", () => {
    const { flow } = createStory();
    const { attemptId, shortUrl } = flow.start({});
    const open = () => flow.openLink({ token: tokenOf(shortUrl), cookie: null, host: "localhost:4001" }).result;
    flow.start({});
    expect(open()).toBe("unknown");
    flow.cancel(attemptId);
    expect([open(), createStory().flow.openLink({ token: "x", cookie: null, host: "localhost:4001" }).result]).toEqual(["unknown", "unknown"]);
  });

  it("that another browser was fast enough to finish is told to the one that comes late, and to the person, once (A26)", async () => {
    const story = createStory();
    const { flow, codes, comeBack, paste, browser } = story;
    const token = tokenOf(flow.start({}).shortUrl);
    const late = (cookie: string | null) => flow.openLink({ token, cookie, host: "localhost:4001" });
    await comeBack(codes().callback);
    expect(late(browser.cookies)).toEqual({ result: "unknown", message: "This sign-in is finished already." });
    expect(notices(story)).toEqual([]);
    for (let count = 0; count < 2; count += 1) expect(late(null)).toMatchObject({ result: "used", message: expect.stringContaining("finished the sign-in") as string });
    expect(story.events.filter(({ type }) => type === "notice")).toMatchObject([{ code: "sign-in-late", hint: expect.stringContaining("logout ada") as string }]);
    // A link that no browser used is no riddle after a paste.
    const unused = tokenOf(flow.start({}).shortUrl);
    await paste(codes().paste);
    expect(flow.openLink({ token: unused, cookie: null, host: "localhost:4001" }).result).toBe("unknown");
    expect(notices(story)).toHaveLength(1);
  });

  it("leads from another name of this machine to the one that the way back has, and uses nothing up", () => {
    const { flow, visit } = createStory();
    const { shortUrl } = flow.start({});
    for (const host of ["127.0.0.1:4001", "[::1]:4001"]) {
      expect(flow.openLink({ token: tokenOf(shortUrl), cookie: null, host })).toEqual({ result: "open", location: shortUrl, setCookie: null });
    }
    expect(visit()).toContain("authorize");
  });

  it("leads to the page that shows the code where the way back would miss us: under another port, and without the callback", () => {
    const story = createStory();
    const { authorizeUrl, shortUrl } = story.flow.start({});
    expect(story.flow.openLink({ token: tokenOf(shortUrl), cookie: null, host: "localhost:5000" })).toMatchObject({ location: authorizeUrl });
    story.returns = false;
    const without = story.flow.start({});
    expect([without.returns, story.visit()]).toEqual([false, without.authorizeUrl]);
  });
});

describe("a browser that comes back", () => {
  it("without the cookie of the open sign-in learns nothing and does nothing, whatever it brings (A26)", async () => {
    const { flow, exchanges, codes, visit } = createStory();
    flow.start({});
    visit();
    const { callback, paste } = codes();
    const queries = [callback, `?code=x&state=${paste.split("#")[1]}`, "?code=x&state=y", "", "?error=access_denied"];
    const answers = await Promise.all(queries.map((query) => flow.completeCallback({ query, cookie: "a=b" })));
    expect(new Set(answers.map(({ result }) => result))).toEqual(new Set(["foreign"]));
    expect([exchanges, flow.pending() === null]).toEqual([[], false]);
    expect(await createStory().flow.completeCallback({ query: callback, cookie: null })).toEqual(answers[0]);
  });

  it("with the state of the link that is pasted is refused (A26)", async () => {
    const { flow, exchanges, codes, comeBack } = createStory();
    flow.start({});
    expect(await comeBack(`?code=x&state=${codes().paste.split("#")[1]}`)).toMatchObject({ result: "refused" });
    expect([exchanges, flow.pending() === null]).toEqual([[], false]);
  });

  it("after a paste has finished the sign-in is told that its own code was not used; the one that finished it is not (A26)", async () => {
    const { flow, codes, comeBack, paste, exchanges } = createStory();
    flow.start({});
    const { callback, paste: text } = codes();
    await comeBack("");
    await paste(text);
    expect(await comeBack(callback)).toMatchObject({ result: "lost", message: expect.stringContaining("what was authorized here is not used") as string });
    flow.start({});
    const second = codes().callback;
    expect(await comeBack(second)).toEqual({ result: "signed-in" });
    expect(await comeBack(second)).toEqual({ result: "refused", message: "This sign-in is finished already." });
    expect(exchanges).toHaveLength(2);
  });

  it("after its sign-in was given up or replaced is told why", async () => {
    const { flow, codes, comeBack, visit } = createStory();
    flow.start({});
    const { callback } = codes();
    visit();
    flow.start({});
    expect(await comeBack(callback)).toEqual({ result: "refused", message: "This sign-in is over. Another sign-in was started." });
  });

  it("while another code is exchanged goes on with its own when that one comes to nothing", async () => {
    const gate = Promise.withResolvers<TokenAnswer>();
    const { flow, codes, comeBack, paste, exchanges } = createStory(gate.promise, grantedAnswer);
    flow.start({});
    const { callback, paste: text } = codes();
    const [pasted, back] = [paste(text), comeBack(callback)];
    gate.resolve({ outcome: "unknown", errorCode: "timeout", message: "No answer." });
    expect([(await pasted).outcome, await back, exchanges.length]).toEqual(["retry", { result: "signed-in" }, 2]);
  });
});
