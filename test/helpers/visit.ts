// One request as a browser makes it on a navigation, or any other program: no redirect is followed, no cookie kept.
import { request } from "node:http";
import type { IncomingHttpHeaders } from "node:http";

export type Seen = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly location: string;
  /** Name and value of the first cookie that was set. */
  readonly cookie: string;
};

/** `url` may name another address than `host` says (a forged Host, a LAN address). */
export const visit = (url: string, { method = "GET", ...headers }: Readonly<Record<string, string>> = {}): Promise<Seen> =>
  new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const { location = "", "set-cookie": [cookie = ""] = [] } = response.headers;
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(chunks).toString(), location, cookie: cookie.split(";")[0] ?? "" });
      });
    });
    sent.on("error", reject);
    sent.end();
  });
