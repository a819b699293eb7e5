// The JSON body of our own endpoints: bounded in size and time, one object, read once. Bodies of `/v1/*`
// never come here.
import type { IncomingMessage } from "node:http";
import type { Clock } from "../lib/clock.ts";
import { mediaTypeOf } from "../lib/http-fields.ts";
import { AppError } from "../messages/errors.ts";

/** A parsed object. Read fields with `textField` and its siblings: `__proto__` is an ordinary name here. */
export type JsonBody = Readonly<Record<string, unknown>>;

export type BodyLimits = { readonly bytes: number; readonly ms: number };

/** Our largest own request is a pasted code or an API key. */
export const ownBodyLimits: BodyLimits = { bytes: 65_536, ms: 10_000 };

/**
 * Reads the body of `request`; no body at all is an empty object. Throws `AppError`:
 * `unsupported-media-type` for anything but JSON (a form from a foreign page can send text/plain without
 * asking first), `too-large`, `request-timeout`, and `bad-request` for broken JSON or a JSON that is no object.
 */
export const readBody = async (request: IncomingMessage, clock: Pick<Clock, "setTimeout">, limits: BodyLimits = ownBodyLimits): Promise<JsonBody> => {
  const isChunked = request.headers["transfer-encoding"] !== undefined;
  const length = Number(request.headers["content-length"] ?? 0);
  if (!isChunked && length === 0) return {};
  if (length > limits.bytes) throw tooLarge(limits);
  checkType(request);
  const bytes = await collect(request, clock, limits);
  return bytes.length === 0 ? {} : parse(bytes);
};

/** The text in `field`, undefined when it is absent or null. Throws `bad-request` when it is no text. */
export const textField = (body: JsonBody, field: string): string | undefined => {
  const value = Object.hasOwn(body, field) ? body[field] : undefined;
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") throw new AppError({ code: "bad-request", message: `"${field}" must be a text.` });
  return value;
};

/** Like `textField`, but the field must be there and not empty. */
export const neededText = (body: JsonBody, field: string): string => {
  const value = textField(body, field);
  if (value === undefined || value.trim() === "") throw new AppError({ code: "bad-request", message: `"${field}" is missing.` });
  return value;
};

/** The truth value in `field`, undefined when absent. Throws `bad-request` for anything else. */
export const flagField = (body: JsonBody, field: string): boolean | undefined => {
  const value = Object.hasOwn(body, field) ? body[field] : undefined;
  if (value === undefined || typeof value === "boolean") return value;
  throw new AppError({ code: "bad-request", message: `"${field}" must be true or false.` });
};

/** The whole number in `field`, undefined when absent. Throws `bad-request` for anything else. */
export const integerField = (body: JsonBody, field: string): number | undefined => {
  const value = Object.hasOwn(body, field) ? body[field] : undefined;
  if (value === undefined) return undefined;
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  throw new AppError({ code: "bad-request", message: `"${field}" must be a whole number.` });
};

const checkType = (request: IncomingMessage): void => {
  const type = mediaTypeOf(request.headers["content-type"] ?? null);
  const coding = request.headers["content-encoding"];
  if (type === "application/json" && (coding === undefined || coding === "identity")) return;
  throw new AppError({ code: "unsupported-media-type", message: "The body must be JSON.", hint: "Send it with the header content-type: application/json." });
};

const collect = (request: IncomingMessage, clock: Pick<Clock, "setTimeout">, limits: BodyLimits): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const timer = clock.setTimeout(() => fail(tooSlow()), limits.ms);
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > limits.bytes) fail(tooLarge(limits));
      else chunks.push(chunk);
    };
    const onEnd = (): void => {
      stop();
      resolve(Buffer.concat(chunks));
    };
    const onBroken = (): void => fail(new AppError({ code: "bad-request", message: "The body broke off." }));
    const stop = (): void => {
      timer.cancel();
      request.off("data", onData).off("end", onEnd).off("close", onBroken).off("error", onBroken);
    };
    // The refusal that follows decides what happens to the rest of the body.
    const fail = (error: AppError): void => {
      stop();
      request.pause();
      reject(error);
    };
    request.on("data", onData).on("end", onEnd).on("close", onBroken).on("error", onBroken);
  });

const parse = (bytes: Buffer): JsonBody => {
  const value = parsed(bytes);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JsonBody;
  // Never the parser's own sentence: it quotes the body.
  throw new AppError({ code: "bad-request", message: "The body must be one JSON object." });
};

const parsed = (bytes: Buffer): unknown => {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
};

const tooLarge = ({ bytes }: BodyLimits): AppError => new AppError({ code: "too-large", message: `The body is larger than ${bytes} bytes.` });

const tooSlow = (): AppError => new AppError({ code: "request-timeout", message: "The body did not arrive in time." });
