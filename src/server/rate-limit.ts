// How often one peer may ask: a token bucket per address, refilled by the steady clock. Off costs nothing.
import type { Clock } from "../lib/clock.ts";
import { isLoopback } from "../lib/host.ts";

/** `count` requests in `windowMs`. */
export type Rate = { readonly count: number; readonly windowMs: number };

/** A connection, as node:net knows it. */
export type Peer = { readonly remoteAddress?: string | undefined };

/** Null lets the request in; a number refuses it and is the whole seconds until the next one may come. */
export type RateLimit = (caller: string) => number | null;

type Bucket = { tokens: number; at: number };

/** For more callers than this no bucket is kept: the oldest one goes. */
const mostPeers = 10_000;

/** A peer may spend `count` at once and gets them back evenly over `windowMs`. */
export const createRateLimit = (rate: Rate, clock: Pick<Clock, "monotonic">): RateLimit => {
  const buckets = new Map<string, Bucket>();
  const perMs = rate.count / rate.windowMs;
  return (caller) => {
    const now = clock.monotonic();
    const bucket = buckets.get(caller) ?? add(buckets, caller, { tokens: rate.count, at: now });
    bucket.tokens = Math.min(rate.count, bucket.tokens + (now - bucket.at) * perMs);
    bucket.at = now;
    // A hair of tolerance: a caller that waits exactly as long as the answer said must get in.
    if (bucket.tokens < 1 - 1e-9) return Math.max(1, Math.ceil((1 - bucket.tokens) / perMs / 1000));
    bucket.tokens -= 1;
    return null;
  };
};

const add = (buckets: Map<string, Bucket>, peer: string, bucket: Bucket): Bucket => {
  const oldest = buckets.size >= mostPeers ? buckets.keys().next().value : undefined;
  if (oldest !== undefined) buckets.delete(oldest);
  buckets.set(peer, bucket);
  return bucket;
};

/** The caller behind `peer`, for those who have not proved the key. All of loopback is one: a local program can use any address of it. */
export const addressOf = ({ remoteAddress = "" }: Peer): string => {
  const address = remoteAddress.replace(/^::ffff:/i, "");
  return isLoopback(address) ? "loopback" : address;
};
