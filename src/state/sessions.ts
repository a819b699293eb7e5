// Requests grouped by Claude Code session and subagent, as the client's official headers name them.
// Folded from the change of a request's row, not from events: what is counted here is counted there.
import { totalInput } from "../messages/usage.ts";
import type { TokenCounts } from "../messages/usage.ts";
import type { Change } from "./requests.ts";
import type { AgentRow, RequestRow, SessionRow } from "./state.ts";

export const maxSessions = 200;
export const maxAgents = 50;
const maxShares = 10;

/** A prompt below the smallest cacheable size says nothing about the cache (Anthropic documentation: 1024 to 4096 tokens, by model). */
const smallestCacheable = 4096;

/** Mutable while one batch is folded. Least recently seen first. */
export type SessionsDraft = { readonly before: readonly SessionRow[]; readonly rows: Map<string, SessionRow>; changed: boolean };

export const openSessions = (before: readonly SessionRow[]): SessionsDraft => ({
  before,
  rows: new Map(before.map((row): [string, SessionRow] => [row.id, row]).toReversed()),
  changed: false,
});

/** Folds one changed request; gives its session before and after, or null when nothing changed in one that was known. */
export const foldSession = (draft: SessionsDraft, change: Change, at: number): { readonly before: SessionRow; readonly after: SessionRow } | null => {
  const { row: request, isNew, isEnd, more } = change;
  if (request.sessionId === null) return null;
  const known = draft.rows.get(request.sessionId);
  if (isNew) keep(draft, started(known ?? newSession(request, at), request, at), true);
  if (isNew || known === undefined || (more === null && !isEnd)) return null;
  const counted = more === null ? known : withTokens(known, request, more);
  return { before: known, after: keep(draft, isEnd ? ended(counted, request, at) : counted, false) };
};

/** Most recently seen first; at most 200, those with open requests are never evicted. */
export const closeSessions = (draft: SessionsDraft): readonly SessionRow[] => {
  if (!draft.changed) return draft.before;
  let surplus = draft.rows.size - maxSessions;
  for (const [id, row] of draft.rows) {
    if (surplus <= 0) break;
    if (row.inFlight > 0) continue;
    draft.rows.delete(id);
    surplus -= 1;
  }
  return [...draft.rows.values()].toReversed();
};

const keep = (draft: SessionsDraft, row: SessionRow, seenNow: boolean): SessionRow => {
  if (seenNow) draft.rows.delete(row.id);
  draft.rows.set(row.id, row);
  draft.changed = true;
  return row;
};

const newSession = (request: RequestRow, at: number): SessionRow => ({
  id: request.sessionId ?? "",
  firstSeenAt: at,
  lastSeenAt: at,
  client: request.client,
  requests: 0,
  inFlight: 0,
  errors: 0,
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheCreationTokens: 0,
  cacheShares: [],
  agents: [],
});

const started = (row: SessionRow, request: RequestRow, at: number): SessionRow => ({
  ...row,
  lastSeenAt: at,
  client: request.client === "" ? row.client : request.client,
  requests: row.requests + 1,
  inFlight: row.inFlight + 1,
  agents: withAgent(row.agents, request, { requests: 1, inputTokens: 0, outputTokens: 0 }),
});

const withTokens = (row: SessionRow, request: RequestRow, more: TokenCounts): SessionRow => ({
  ...row,
  inputTokens: row.inputTokens + more.inputTokens,
  outputTokens: row.outputTokens + more.outputTokens,
  cacheReadTokens: row.cacheReadTokens + more.cacheReadTokens,
  cacheCreationTokens: row.cacheCreationTokens + more.cacheCreationTokens,
  agents: withAgent(row.agents, request, { requests: 0, inputTokens: totalInput(more), outputTokens: more.outputTokens }),
});

const ended = (row: SessionRow, request: RequestRow, at: number): SessionRow => {
  const failed = request.outcome !== "ok" && request.outcome !== "client-left" && request.outcome !== "shutdown";
  return { ...row, lastSeenAt: at, inFlight: row.inFlight - 1, errors: row.errors + (failed ? 1 : 0), cacheShares: withShare(row.cacheShares, request) };
};

// Subagents begin with a prompt of their own: only the main conversation shows whether its prefix still hits.
const withShare = (shares: readonly number[], request: RequestRow): readonly number[] => {
  const total = totalInput(request);
  if (request.outcome !== "ok" || request.agentId !== null || total < smallestCacheable) return shares;
  return [...shares, (request.cacheReadTokens ?? 0) / total].slice(-maxShares);
};

const withAgent = (agents: readonly AgentRow[], request: RequestRow, add: Omit<AgentRow, "id" | "parentId">): readonly AgentRow[] => {
  const { agentId: id, parentAgentId: parentId } = request;
  if (id === null) return agents;
  const index = agents.findIndex((agent) => agent.id === id);
  const known = agents[index];
  if (known === undefined) return [...agents, { id, parentId, ...add }].slice(-maxAgents);
  const { requests, inputTokens, outputTokens } = known;
  return agents.with(index, { ...known, requests: requests + add.requests, inputTokens: inputTokens + add.inputTokens, outputTokens: outputTokens + add.outputTokens });
};
