// What lies over the lists: the help, and everything that is known of the thing under the cursor (a request, a
// session, an account, an event). Facts only; header values are those of an allow-list, bodies are never kept.
import { amount, clockMinute, clockTime, duration, percent, span } from "../../lib/units.ts";
import { cacheReadShare } from "../../messages/usage.ts";
import { isError, silenceMs } from "../../state/select.ts";
import type { AccountRow, ActivityLine, RequestRow, SessionRow } from "../../state/state.ts";
import { bindings } from "../keymap.ts";
import { accountName, expiryText, healthWord, limitText, refreshText, tokenWord } from "../panes/accounts.ts";
import { statusTone, statusWord } from "../panes/requests.ts";
import { cacheWord } from "../panes/sessions.ts";
import { padEnd, safe, widthOf, wrap } from "../text.ts";
import { emptyLine, lineOf, segment } from "../theme.ts";
import type { Glyphs, Line, Tone } from "../theme.ts";
import type { Overlay } from "../ui-state.ts";
import type { View } from "../view.ts";

/** All lines of the open overlay; empty when none is open. */
export const overlayText = (view: View): readonly Line[] => {
  const { ui: { overlay }, layout: { columns } } = view;
  if (overlay === null) return [];
  return overlay.kind === "help" ? helpLines(view, columns) : detailLines(overlay, view, columns);
};

/** Lines that an overlay has room for. */
export const overlayHeight = ({ layout }: Pick<View, "layout">): number => layout.list + (layout.heads ? 1 : 0);

/** The help, made from the key table, so that it cannot say anything else; `width` terminal columns wide. */
export const helpLines = (view: View, width: number): readonly Line[] => [
  lineOf(segment(" Keys", "strong")),
  ...bindings.filter(({ help }) => help !== "").flatMap(({ keys, help }) => keyLines(keys.join(" "), help, width, view)),
  emptyLine,
  ...programLines(view).map((text) => lineOf(segment(` ${text}`, "dim"))),
];

const keyColumn = 10;

const keyLines = (keys: string, help: string, width: number, { glyphs }: View): readonly Line[] =>
  wrap(help, Math.max(10, width - keyColumn - 2)).map((row, index) =>
    lineOf(segment(` ${padEnd(index === 0 ? keys : "", Math.max(keyColumn, index === 0 ? widthOf(keys) : 0), glyphs)} `, "accent"), segment(row)),
  );

const programLines = ({ live, now, memory, about }: View): readonly string[] => [
  `claude-oauth-proxy ${live.server.version}, mode ${live.server.mode}, upstream ${about.upstream}`,
  ...(live.server.startedAt === null ? [] : [`up ${span(now - live.server.startedAt)}${memory === null ? "" : `, memory ${Math.round(memory / 1_048_576)} MB`}`]),
  `also: ${about.program} status | doctor | env | run -- COMMAND`,
];

type Fact = readonly [name: string, text: string | null, tone?: Tone];

/** The lines of what `overlay` names, for a width of `width` columns. */
export const detailLines = (overlay: Exclude<Overlay, { kind: "help" }>, view: View, width: number): readonly Line[] => {
  const facts = factsOf(overlay, view) ?? [["gone", "This one is no longer in memory. Esc goes back."]];
  return facts.flatMap(([name, text, tone]) => (text === null || text === "" ? [] : factLines(name, safe(text, view.glyphs), tone ?? "plain", { width, glyphs: view.glyphs })));
};

const nameColumn = 16;

const factLines = (name: string, text: string, tone: Tone, { width, glyphs }: { readonly width: number; readonly glyphs: Glyphs }): readonly Line[] => {
  const column = width < 60 ? 10 : nameColumn;
  return wrap(text, Math.max(8, width - column - 3)).map((row, index) => lineOf(segment(` ${padEnd(index === 0 ? name : "", column, glyphs)} `, "dim"), segment(row, tone)));
};

const factsOf = (overlay: Exclude<Overlay, { kind: "help" }>, view: View): readonly Fact[] | null => {
  const { live, shown } = view;
  switch (overlay.kind) {
    case "request": {
      const row = [...live.requests.rows, ...shown.requests.rows].find(({ id }) => id === overlay.id);
      return row === undefined ? null : [...requestFacts(row, view), ...failureFacts(row)];
    }
    case "session": {
      const session = live.sessions.find(({ id }) => id === overlay.id);
      return session === undefined ? null : sessionFacts(session, view);
    }
    case "account": {
      const account = live.accounts.find(({ id }) => id === overlay.id);
      return account === undefined ? null : accountFacts(account, view);
    }
    case "event": {
      const entry = [...live.activity, ...shown.activity].find(({ seq }) => String(seq) === overlay.id);
      return entry === undefined ? null : eventFacts(entry);
    }
  }
};

const named = (name: string, value: string | null | undefined): string | null => (value === null || value === undefined || value === "" ? null : `${name} ${value}`);
const measured = (name: string, value: number | null): string | null => named(name, value === null ? null : duration(value));
const joined = (parts: readonly (string | null)[]): string => parts.filter((part) => part !== null && part !== "").join(", ");

const requestFacts = (row: RequestRow, { now, live }: View): readonly Fact[] => {
  const account = live.accounts.find(({ id }) => id === row.accountId);
  return [
    ["request", `${row.method} ${row.path}`, "strong"],
    ["status", joined([statusWord(row), row.outcome ?? "open", measured("silent for", silenceMs(row, now))]), statusTone(row)],
    [
      "timing",
      joined([
        `received ${clockTime(row.receivedAt)}`,
        measured("first byte", row.ttfbMs),
        measured("total", row.durationMs ?? now - row.receivedAt),
        measured("longest silence", row.longestSilenceMs),
      ]),
    ],
    ["account", joined([account?.label ?? row.accountId, row.pickReason, row.attempts > 1 ? `${row.attempts} attempts` : null])],
    ["model", joined([named("asked", row.modelAsked), named("served", row.model)])],
    ["tokens", tokenText(row)],
    ["stop reason", row.stopReason],
    ["bytes", `${amount(row.bytesIn)} in, ${amount(row.bytesOut)} out`],
    ["client", row.client],
    ["session", joined([row.sessionId, named("agent", row.agentId), named("of", row.parentAgentId)])],
    ["content-type", joined([row.contentType, row.contentEncoding])],
    ["retry-after", row.retryAfter],
    ["request-id", joined([row.upstreamRequestId, `here ${row.id}`])],
  ];
};

const tokenText = (row: RequestRow): string | null => {
  if (row.inputTokens === null && row.outputTokens === null) return null;
  const share = cacheReadShare(row);
  return joined([
    `input ${amount(row.inputTokens ?? 0)}`,
    `cache read ${amount(row.cacheReadTokens ?? 0)}${share === null ? "" : ` (${percent(share)})`}`,
    `cache written ${amount(row.cacheCreationTokens ?? 0)}`,
    `output ${amount(row.outputTokens ?? 0)}`,
  ]);
};

const failureFacts = (row: RequestRow): readonly Fact[] =>
  !isError(row) && row.message === null
    ? []
    : [
        ["blame", joined([row.blame?.replace("-", " ") ?? null, row.errorCode]), statusTone(row)],
        ["said", row.message, statusTone(row)],
        ["next", row.nextStep, "strong"],
      ];

const sessionFacts = (session: SessionRow, { now }: View): readonly Fact[] => [
  ["session", session.id, "strong"],
  ["client", session.client],
  ["requests", joined([String(session.requests), `${session.inFlight} open`, `${session.errors} errors`])],
  [
    "tokens",
    joined([
      `input ${amount(session.inputTokens)}`,
      `cache read ${amount(session.cacheReadTokens)}`,
      `cache written ${amount(session.cacheCreationTokens)}`,
      `output ${amount(session.outputTokens)}`,
    ]),
  ],
  ["cache", joined([cacheWord(session).text, session.cacheShares.length === 0 ? null : `last answers ${session.cacheShares.map(percent).join(" ")}`]), cacheWord(session).tone],
  ["seen", `from ${clockMinute(session.firstSeenAt, now)}, last ${span(now - session.lastSeenAt)} ago`],
  ...session.agents.map(({ id, parentId, requests, inputTokens, outputTokens }): Fact => [
    "agent",
    joined([id, named("of", parentId), `${requests} requests`, `in ${amount(inputTokens)}`, `out ${amount(outputTokens)}`]),
  ]),
];

const accountFacts = (account: AccountRow, view: View): readonly Fact[] => {
  const { now, glyphs, about } = view;
  const token = tokenWord(account, now);
  return [
    ["account", joined([accountName(account, view), account.id, account.kind === "oauth" ? "subscription" : "API key"]), "strong"],
    ["health", joined([healthWord(account, now).text, account.healthReason]), healthWord(account, now).tone],
    ["token", joined([token.text.toLowerCase(), expiryText(account, now), refreshText(account, now, about.leadMs)]), token.tone],
    ["last refresh", account.refreshedAt === null ? null : joined([`${clockMinute(account.refreshedAt, now)} (${account.lastRefreshReason ?? "unknown"})`, `${account.refreshCount} in this run`])],
    ["failures", account.refreshFailures === 0 ? null : `${account.refreshFailures} in a row`, "error"],
    ["last error", account.lastError, "error"],
    ["priority", String(account.priority)],
    ["requests", String(account.requests)],
    ...account.limits.map((limit): Fact => ["limit", limitText(limit, now, glyphs)]),
  ];
};

const eventFacts = (entry: ActivityLine): readonly Fact[] => [
  ["event", entry.type, "strong"],
  ["at", clockTime(entry.at)],
  ["text", entry.text, entry.tone === "info" ? "plain" : entry.tone],
];
