// A person at a browser, played by HTTP: opens a link, presses one of the buttons of the authorize page, follows the
// redirects. Sends what a browser sends on a navigation, cookies too, so that a callback is met as in real life.
import { request as requestPlain, type IncomingMessage, type RequestOptions } from "node:http";
import { request as requestTls } from "node:https";
import { AppError } from "../messages/errors.ts";

/** Which user signs in, by id or address; the first one when left out. */
export type Visit = { readonly user?: string };

type Page = { readonly status: number; readonly location: string | null; readonly setCookies: readonly string[]; readonly text: string };

type PageRequest = { readonly method: "GET" | "POST"; readonly url: string; readonly site: "none" | "same-origin" | "cross-site"; readonly form?: string };

const maxPageBytes = 1024 * 1024;

const readPage = async (response: IncomingMessage): Promise<Page> => {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxPageBytes) throw new AppError({ code: "login-failed", message: "The page is larger than 1 MiB" });
    chunks.push(chunk);
  }
  const { location = null, "set-cookie": setCookies = [] } = response.headers;
  return { status: response.statusCode ?? 0, location, setCookies, text: Buffer.concat(chunks).toString("utf8") };
};

const headersOf = ({ site, form, method }: PageRequest, cookie: string): Record<string, string> => ({
  accept: "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8",
  "user-agent": "simulated-browser",
  "sec-fetch-site": site,
  "sec-fetch-mode": "navigate",
  "sec-fetch-dest": "document",
  "sec-fetch-user": "?1",
  connection: "close",
  ...(cookie === "" ? {} : { cookie }),
  ...(method === "POST" ? { "content-type": "application/x-www-form-urlencoded", "content-length": String(Buffer.byteLength(form ?? "")) } : {}),
});

// RFC 6265 section 5.3, as far as it matters here: cookies belong to a host, whatever its port, and with SameSite=Strict they
// stay away from a navigation that comes from elsewhere.
const createCookies = () => {
  const known = new Map<string, { readonly host: string; readonly pair: string; readonly isStrict: boolean }>();
  return {
    keep({ hostname }: URL, lines: readonly string[]): void {
      for (const line of lines) {
        const pair = line.split(";", 1)[0] ?? "";
        known.set(`${hostname} ${pair.split("=", 1)[0] ?? ""}`, { host: hostname, pair, isStrict: /; *samesite=strict/i.test(line) });
      }
    },
    for: ({ hostname }: URL, site: PageRequest["site"]): string =>
      [...known.values()].filter(({ host, isStrict }) => host === hostname && !(isStrict && site === "cross-site")).map(({ pair }) => pair).join("; "),
  };
};

const unescapeHtml = (text: string): string =>
  text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&quot;/g, '"').replace(/&#39;/g, "'").replace(/&amp;/g, "&");

const find = (html: string, pattern: RegExp): string | null => {
  const found = pattern.exec(html)?.[1];
  return found === undefined ? null : unescapeHtml(found);
};

const refused = (page: Page): AppError =>
  new AppError({ code: "login-failed", message: `The authorize page refuses (${page.status}): ${find(page.text, /id="error">([^<]{0,200})</) ?? "no reason given"}` });

type BrowserDeps = {
  readonly baseUrl: string;
  /** Makes the simulated server's own certificate acceptable. */
  readonly ca: string | Buffer | null;
};

/** Every decision is one of a browser of its own, which knows no cookie yet. */
export const createBrowser = ({ baseUrl, ca }: BrowserDeps) => ({
  /** `link` is the authorize link, or one that leads there. */
  async decide(link: string, decision: "authorize" | "deny", { user }: Visit = {}): Promise<string> {
    const visit = createVisits(ca);
    const { page, url } = await follow(visit, link, "none");
    if (page.status !== 200) throw refused(page);
    const form = new URLSearchParams({
      handle: find(page.text, /name="handle" value="([^"]*)"/) ?? "",
      csrf: find(page.text, /name="csrf" value="([^"]*)"/) ?? "",
      user: user ?? "",
      decision,
    });
    const action = new URL(find(page.text, /<form method="post" action="([^"]*)"/) ?? "", url);
    const next = await visit({ method: "POST", url: action.href, site: "same-origin", form: form.toString() });
    if (next.location === null) throw refused(next);
    const own = next.location.startsWith(baseUrl);
    const { text } = (await follow(visit, next.location, own ? "same-origin" : "cross-site")).page;
    // The hosted redirect shows the code; anything else is the program's own callback.
    return own ? (find(text, /<code id="code">([^<]{0,200})</) ?? find(text, /id="error">([^<]{0,200})</) ?? text) : text;
  },
});

type VisitPage = (asked: PageRequest) => Promise<Page>;

const createVisits = (ca: BrowserDeps["ca"]): VisitPage => {
  const cookies = createCookies();
  return async (asked) => {
    const url = new URL(asked.url);
    const page = await new Promise<Page>((resolve, reject) => {
      const options: RequestOptions & { ca?: string | Buffer } = {
        method: asked.method,
        headers: headersOf(asked, cookies.for(url, asked.site)),
        agent: false,
        ...(ca === null ? {} : { ca }),
      };
      const send = url.protocol === "https:" ? requestTls : requestPlain;
      const request = send(url, options, (response) => readPage(response).then(resolve, reject));
      request.once("error", reject);
      request.end(asked.form);
    });
    cookies.keep(url, page.setCookies);
    return page;
  };
};

/** Follows redirects, each with its cookies, to the first page that is none. */
const follow = async (visit: VisitPage, url: string, site: PageRequest["site"]): Promise<{ readonly page: Page; readonly url: string }> => {
  const page = await visit({ method: "GET", url, site });
  return page.location === null ? { page, url } : follow(visit, new URL(page.location, url).href, site);
};
