// The way of every fact: from the part that knows it to the parts that show and store it, in one order.
import type { Clock, Timer } from "../lib/clock.ts";
import { withoutSecrets } from "../lib/redact.ts";
import type { Secret } from "../lib/secret.ts";
import { createSecretFilter } from "../lib/secret-filter.ts";
import { visibleText } from "../lib/visible-text.ts";
import type { Event, EventDraft } from "./events.ts";

/** Delivers a fact to every subscriber. `at` and `seq` are stamped here and nowhere else. It takes `draft` over: pass a fresh one. */
export type Publish = (draft: EventDraft) => void;

/** Like `Publish`, but delivered a little later. A function makes its draft at that time; null is none. */
export type PublishBuffered = (fact: EventDraft | (() => EventDraft | null)) => void;

export type Bus = {
  /** Every subscriber has had it when this returns, and what was buffered before it too. */
  readonly publish: Publish;
  /**
   * For the facts of requests, of which there are thousands: delivered together within five milliseconds, in order
   * and with the time at which they were handed in.
   */
  readonly publishBuffered: PublishBuffered;
  /** Delivers what is buffered: call it before you read what a subscriber has made of the events. */
  flush(): void;
  /** Calls `listener` for every later event, in order. `name` is what a notice calls it when it fails. Returns the way to stop, which flushes first. */
  subscribe(listener: (event: Event) => void, name?: string): () => void;
  /**
   * No later event carries a secret of `known` in any text, whatever an upstream wrote into its answer. `known` is asked
   * for what the program holds before events are delivered; what it held before is hidden for a while too.
   */
  hide(known: () => Iterable<Secret>): void;
};

/**
 * Delivering one fact costs a microsecond while the code of all subscribers is in the processor's caches, and five
 * between two requests' worth of other work: a third of what a small request costs (measured).
 */
const bufferMs = 5;
/** Delivering this many takes under a millisecond; it also bounds the memory. */
const mostBuffered = 512;

type Buffered = { readonly fact: EventDraft | (() => EventDraft | null); readonly at: number };
type Subscriber = { readonly name: string; readonly listener: (event: Event) => void };

/**
 * A subscriber that throws reaches neither the publisher nor the other subscribers (a broken view must not break a
 * request): its first failure becomes a `notice` that names it. What a subscriber publishes is delivered after the
 * event it is being called with.
 */
export const createBus = (clock: Clock): Bus => {
  /** Replaced, never changed in place: it may change while an event is delivered. */
  let subscribers: readonly Subscriber[] = [];
  const failed = new Set<string | Subscriber>();
  const secrets: (() => Iterable<Secret>)[] = [];
  const filter = createSecretFilter();
  let buffer: Buffered[] = [];
  let timer: Timer | null = null;
  let delivering = false;
  let seq = 0;

  const report = (source: string | Subscriber, doing: string, error: unknown): void => {
    if (!failed.has(source)) buffer.push({ fact: failure(source, doing, error), at: clock.now() });
    failed.add(source);
  };

  const made = (fact: Buffered["fact"]): EventDraft | null => {
    if (typeof fact !== "function") return fact;
    try {
      return fact();
    } catch (error) {
      report("a publisher", "make an event", error);
      return null;
    }
  };

  const lookAtSecrets = (): void => {
    try {
      filter.update(held(secrets), clock.monotonic());
    } catch (error) {
      report("the list of secrets", "be read", error);
    }
  };

  // In place: a copy made of every shape at one spot in the program takes the engine's slow way. Only a frozen draft,
  // which was published before, is copied.
  const stamped = (draft: EventDraft, at: number): Event => {
    const event = (Object.isExtensible(draft) ? draft : { ...draft }) as EventDraft & { at: number; seq: number } & Record<string, unknown>;
    seq += 1;
    event.at = at;
    event.seq = seq;
    for (const name in event) {
      const value = event[name];
      if (typeof value !== "string") continue;
      const clean = filter.clean(value);
      if (clean !== value) event[name] = clean;
    }
    return Object.freeze(event);
  };

  const deliver = ({ fact, at }: Buffered): void => {
    const draft = made(fact);
    if (draft === null) return;
    const event = stamped(draft, at);
    for (const subscriber of subscribers) {
      try {
        subscriber.listener(event);
      } catch (error) {
        report(subscriber, `follow ${event.type}`, error);
      }
    }
  };

  const flush = (): void => {
    if (delivering) return;
    delivering = true;
    timer?.cancel();
    timer = null;
    if (buffer.length > 0) lookAtSecrets();
    while (buffer.length > 0) {
      const due = buffer;
      buffer = [];
      for (const each of due) deliver(each);
    }
    delivering = false;
  };

  return {
    publish(draft) {
      buffer.push({ fact: draft, at: clock.now() });
      flush();
    },
    publishBuffered(fact) {
      buffer.push({ fact, at: clock.now() });
      if (buffer.length >= mostBuffered) flush();
      else if (!delivering) timer ??= clock.setTimeout(flush, bufferMs);
    },
    flush,
    subscribe(listener, name = "a subscriber") {
      const subscriber = { name, listener };
      subscribers = [...subscribers, subscriber];
      return () => {
        flush();
        subscribers = subscribers.filter((each) => each !== subscriber);
      };
    },
    hide: (known) => void secrets.push(known),
  };
};

const failure = (source: string | Subscriber, doing: string, error: unknown): EventDraft => {
  const name = typeof source === "string" ? source : source.name;
  const reason = visibleText(withoutSecrets(String(error), []));
  const message = `${name} could not ${doing} (${reason}); further failures of it are not reported`;
  return { type: "notice", level: "error", code: "subscriber-failed", message, hint: "Please report this: it is a fault of the program." };
};

const held = function* (sources: readonly (() => Iterable<Secret>)[]): Iterable<Secret> {
  for (const source of sources) yield* source();
};
