// Checks the body of a Messages request as the real service does: required fields by name, unknown
// ones let through, because clients send more every month.
import { parseJsonObject } from "../lib/json.ts";
import type { Asked } from "./answer.ts";
import type { ApiError } from "./reply.ts";

export type AskedCheck = { readonly ok: true; readonly asked: Asked } | { readonly ok: false; readonly error: ApiError };

const wrong = (message: string, status = 400): AskedCheck => ({ ok: false, error: { status, message } });

const thinks = (thinking: unknown): boolean => {
  const type = (thinking as { readonly type?: unknown } | null | undefined)?.type;
  return type === "enabled" || type === "adaptive";
};

const roles = new Set(["user", "assistant", "system"]);

const messageFault = (messages: readonly unknown[]): string | null => {
  const at = messages.findIndex((message) => !roles.has(String((message as { readonly role?: unknown } | null)?.role)));
  if (at >= 0) return `messages.${at}.role: Input should be 'user' or 'assistant'`;
  const empty = messages.findIndex((message) => (message as { readonly content?: unknown }).content === undefined);
  return empty >= 0 ? `messages.${empty}.content: Field required` : null;
};

const limitFault = (maxTokens: unknown): string | null => {
  if (maxTokens === undefined) return "max_tokens: Field required";
  return Number.isInteger(maxTokens) && Number(maxTokens) >= 1 ? null : "max_tokens: Input should be greater than or equal to 1";
};

/** `counting` is `/v1/messages/count_tokens`, which needs no `max_tokens`. */
export const checkAsked = (body: Buffer, counting: boolean): AskedCheck => {
  const fields = parseJsonObject(body.toString("utf8"));
  if (fields === null) return wrong("The request body is not valid JSON");
  const { model, messages } = fields;
  if (typeof model !== "string") return wrong("model: Field required");
  if (!Array.isArray(messages)) return wrong("messages: Field required");
  if (messages.length === 0) return wrong("messages: at least one message is required");
  const fault = messageFault(messages) ?? (counting ? null : limitFault(fields["max_tokens"]));
  if (fault !== null) return wrong(fault);
  if (!model.startsWith("claude-")) return wrong(`model: ${model}`, 404);
  const asked = {
    model,
    maxTokens: Number(fields["max_tokens"] ?? 0),
    stream: fields["stream"] === true,
    thinking: thinks(fields["thinking"]),
    system: fields["system"],
    tools: fields["tools"],
    messages,
  };
  return { ok: true, asked };
};
