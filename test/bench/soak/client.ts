// One request of the load and its end as a client sees it. Never throws: an end that nobody expected is an
// end like any other, and is judged afterwards.
import { randomUUID } from "node:crypto";
import { request, type Agent, type ClientRequest, type IncomingMessage } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { kindHeader, type End, type Kind } from "./kinds.ts";

export type Target = { readonly port: number; readonly key: string; readonly agent: Agent };

/** `id` is sent as the session id, by which the proxy's own record of the request is found again. */
export type Sent = { readonly id: string; readonly kind: string; end: End; endedAt: number };

export type Watch = {
  /** Called with the milliseconds between two pieces of an answer. */
  readonly onGap?: (ms: number) => void;
  /** Aborted: the client leaves. */
  readonly leave?: AbortSignal;
  readonly onBegin?: () => void;
};

const bodyOf = ({ stream = false }: Kind): string =>
  JSON.stringify({ model: "claude-sonnet-4-6", max_tokens: 512, stream, messages: [{ role: "user", content: `Say something. ${"x".repeat(Math.floor(Math.random() * 4000))}` }] });

const headersOf = (kind: Kind, { key }: Target, id: string, length: number) => ({
  authorization: `Bearer ${key}`,
  "content-type": "application/json",
  "content-length": length,
  "user-agent": "soak/1",
  "x-claude-code-session-id": id,
  [kindHeader]: kind.name,
});

/** Resolves when the request has ended, one way or the other. */
export const send = (kind: Kind, target: Target, watch: Watch = {}): Promise<Sent> =>
  new Promise((resolve) => {
    const sent: Sent = { id: randomUUID(), kind: kind.name, end: "none", endedAt: 0 };
    const body = bodyOf(kind);
    const { port, agent } = target;
    const path = kind.path ?? "/v1/messages?beta=true";
    const outgoing = request({ host: "127.0.0.1", port, agent, path, method: "POST", headers: headersOf(kind, target, sent.id, Buffer.byteLength(body)) });
    const ended = (end: End): void => {
      if (sent.endedAt > 0) return;
      sent.end = end;
      sent.endedAt = Date.now();
      resolve(sent);
    };
    const leave = (): void => {
      ended("left");
      outgoing.destroy();
    };
    watch.leave?.addEventListener("abort", leave, { once: true });
    outgoing.on("error", () => ended("none"));
    outgoing.on("close", () => watch.leave?.removeEventListener("abort", leave));
    outgoing.once("response", (response) => void read(response, kind, watch, ended));
    if (kind.cutsUpload === true) outgoing.write(body.slice(0, body.length / 2), () => void later(leave, 50));
    else outgoing.end(body, () => leaveAtRandom(kind, outgoing, leave));
  });

const later = (act: () => void, ms: number): void => void setTimeout(act, ms);

const leaveAtRandom = ({ leavesWithinMs }: Kind, outgoing: ClientRequest, leave: () => void): void => {
  if (leavesWithinMs === undefined) return;
  const timer = setTimeout(leave, Math.random() * leavesWithinMs);
  outgoing.once("close", () => clearTimeout(timer));
};

const read = async (response: IncomingMessage, kind: Kind, watch: Watch, ended: (end: End) => void): Promise<void> => {
  const status = response.statusCode ?? 0;
  watch.onBegin?.();
  let before = performance.now();
  try {
    for await (const _ of response) {
      const now = performance.now();
      watch.onGap?.(now - before);
      before = now;
      if (kind.readsEveryMs !== undefined) await pause(kind.readsEveryMs);
    }
  } catch {
    // `complete` below says it.
  }
  ended(`${status} ${response.complete ? "whole" : "broken"}`);
};
