// Only http: and https: addresses become links, however another scheme is disguised.
import { describe, expect, it } from "vitest";
import { html, linkTo } from "../../src/lib/html.ts";
import { webAddress } from "../../src/lib/web-address.ts";

/** What browsers run, open or hand to other programs when it stands in a link. */
export const noLinks = [
  "javascript:alert(1)", "JavaScript:alert(1)", "java\nscript:alert(1)", "\u0001javascript:alert(1)", " javascript://https://x.example/%0aalert(1)",
  "data:text/html,<script>alert(1)</script>", "vbscript:x", "file:///etc/passwd", "blob:https://x.example/1", "about:blank", "ws://x.example/",
  "view-source:https://x.example/", "//x.example/", "/login", "x.example", "", "https://", "https://a b/",
];

describe("an address", () => {
  it.each([
    ["https://x.example/authorize?a=b&c=d", "https://x.example/authorize?a=b&c=d"],
    ["http://localhost:4001/login/abc", "http://localhost:4001/login/abc"],
    ["HTTPS://X.example", "https://x.example/"],
    [" https://x.example/\t", "https://x.example/"],
  ])("may become a link: %j", (text, address) => {
    expect(webAddress(text)).toBe(address);
    expect(linkTo(text, "there").toString()).toBe(html`<a href="${address}" target="_blank" rel="noopener noreferrer">there</a>`.toString());
  });

  it.each(noLinks)("becomes no link, and its text stays: %j", (text) => {
    expect(webAddress(text)).toBeNull();
    expect(linkTo(text, "there <b>").toString()).toBe("there &lt;b&gt;");
  });
});
