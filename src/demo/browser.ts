// A person at a browser, played by HTTP: opens the authorize page, presses one of its buttons, follows
// the redirect. Sends what a browser sends on a navigation, so that a callback is met as in real life.
import { request as requestPlain, type IncomingMessage, type RequestOptions } from "node:http";
import { request as requestTls } from "node:https";
import { AppError } from "../messages/errors.ts";

/** Which user signs in, by id or address; the first one when left out. */
export type Visit = { readonly user?: string };

type Page = { readonly status: number; readonly location: string | null; readonly cookie: string | null; readonly text: string };

type PageRequest = { readonly method: "GET" | "POST"; readonly url: string; readonly site: string; readonly cookie?: string | null; readonly form?: string };

const maxPageBytes = 1024 * 1024;

const readPage = async (response: IncomingMessage): Promise<Page> => {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxPageBytes) throw new AppError({ code: "login-failed", message: "The page is larger than 1 MiB" });
    chunks.push(chunk);
  }
  const cookie = response.headers["set-cookie"]?.[0]?.split(";")[0] ?? null;
  return { status: response.statusCode ?? 0, location: response.headers.location ?? null, cookie, text: Buffer.concat(chunks).toString("utf8") };
};

const headersOf = ({ site, cookie, form, method }: PageRequest): Record<string, string> => ({
  accept: "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8",
  "user-agent": "simulated-browser",
  "sec-fetch-site": site,
  "sec-fetch-mode": "navigate",
  "sec-fetch-dest": "document",
  "sec-fetch-user": "?1",
  connection: "close",
  ...(cookie ? { cookie } : {}),
  ...(method === "POST" ? { "content-type": "application/x-www-form-urlencoded", "content-length": String(Buffer.byteLength(form ?? "")) } : {}),
});

const unescapeHtml = (text: string): string =>
  text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&quot;/g, '"').replace(/&#39;/g, "'").replace(/&amp;/g, "&");

const find = (html: string, pattern: RegExp): string | null => {
  const found = pattern.exec(html)?.[1];
  return found === undefined ? null : unescapeHtml(found);
};

const refused = (page: Page): AppError =>
  new AppError({ code: "login-failed", message: `The authorize page refuses (${page.status}): ${find(page.text, /id="error">([^<]{0,200})</) ?? "no reason given"}` });

/** `ca` makes the simulated server's own certificate acceptable. */
export const createBrowser = ({ baseUrl, ca }: { readonly baseUrl: string; readonly ca: string | Buffer | null }) => {
  const visit = (asked: PageRequest): Promise<Page> =>
    new Promise((resolve, reject) => {
      const options: RequestOptions & { ca?: string | Buffer } = { method: asked.method, headers: headersOf(asked), agent: false, ...(ca === null ? {} : { ca }) };
      const send = asked.url.startsWith("https:") ? requestTls : requestPlain;
      const request = send(asked.url, options, (response) => readPage(response).then(resolve, reject));
      request.once("error", reject);
      request.end(asked.form);
    });

  /** The hosted redirect shows the code; anything else is the program's own callback. */
  const follow = async (location: string): Promise<string> => {
    const own = location.startsWith(baseUrl);
    const page = await visit({ method: "GET", url: location, site: own ? "same-origin" : "cross-site" });
    if (!own) return page.text;
    return find(page.text, /<code id="code">([^<]{0,200})</) ?? find(page.text, /id="error">([^<]{0,200})</) ?? page.text;
  };

  return {
    async decide(authorizeUrl: string, decision: "authorize" | "deny", { user }: Visit = {}): Promise<string> {
      const page = await visit({ method: "GET", url: authorizeUrl, site: "none" });
      if (page.status !== 200) throw refused(page);
      const form = new URLSearchParams({
        handle: find(page.text, /name="handle" value="([^"]*)"/) ?? "",
        csrf: find(page.text, /name="csrf" value="([^"]*)"/) ?? "",
        user: user ?? "",
        decision,
      });
      const action = new URL(find(page.text, /<form method="post" action="([^"]*)"/) ?? "", authorizeUrl);
      const next = await visit({ method: "POST", url: action.href, site: "same-origin", cookie: page.cookie, form: form.toString() });
      if (next.location === null) throw refused(next);
      return follow(next.location);
    },
  };
};
