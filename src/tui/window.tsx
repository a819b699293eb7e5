// The dashboard's hold on the terminal: opened and closed any number of times (a sign-in takes the screen
// in between), and always gives back the cursor, the keys, the title and the primary screen.
import { render } from "ink";
import type { Instance } from "ink";
import type { App } from "../app/app.ts";
import type { Clock, Timer } from "../lib/clock.ts";
import { callBytes, causes, newCauses, restoreTitle, saveTitle, titleBytes } from "./alerts.ts";
import { DashboardApp } from "./app.tsx";
import type { Screen, Suspend } from "./app.tsx";
import type { Controller } from "./controller.ts";
import { createFrames } from "./frames.ts";
import type { Frames } from "./frames.ts";
import { restMs } from "./pace.ts";
import type { View } from "./view.ts";

/** The terminal's output, as `process.stdout` is. */
export type Output = NodeJS.WritableStream & { readonly columns?: number; readonly rows?: number; readonly isTTY?: boolean; readonly writableNeedDrain?: boolean };

export type WindowDeps = {
  readonly app: Pick<App, "config" | "store">;
  readonly stdout: Output;
  readonly stdin: NodeJS.ReadableStream;
  readonly clock: Clock;
  readonly ascii: boolean;
  readonly loopDelayMs: () => number | null;
  readonly controller: Controller;
};

export type DrawingWindow = {
  open(): void;
  isOpen(): boolean;
  /** Resolves when the terminal is given back. */
  close(): Promise<void>;
  size(): Size;
  /** Draws at the next opportunity, without waiting for the pace. */
  urgent(): void;
  /** Wipes the screen and draws everything anew. */
  redraw(): void;
  /** Gives the terminal to `work`. */
  suspended(work: () => Promise<void>): Promise<void>;
};

export type Size = { readonly columns: number; readonly rows: number };

/** Size of the terminal; 80x24 where it is not known. */
export const sizeOf = ({ columns, rows }: Output): Size => ({ columns: columns || 80, rows: rows || 24 });

type Opened = { readonly instance: Instance; readonly frames: Frames };

/** A closed window; `open` draws the first frame. */
export const createWindow = (deps: WindowDeps): DrawingWindow => {
  const { stdout, clock, app, controller, ascii } = deps;
  const alarm = createAlarm(deps);
  const picture = createPicture(controller, alarm.look);
  const room = { size: sizeOf(stdout), opened: null as Opened | null, suspend: null as Suspend | null, retry: null as Timer | null };
  const onResize = debounced(clock, () => {
    room.size = sizeOf(stdout);
    room.opened?.frames.urgent();
  });

  const close = async (): Promise<void> => {
    room.retry?.cancel();
    const taken = room.opened;
    if (taken === null) return;
    room.opened = null;
    taken.frames.stop();
    stdout.off("resize", onResize);
    taken.instance.unmount();
    if (!ascii) stdout.write(restoreTitle);
    await taken.instance.waitUntilExit().catch(ignore);
  };

  const open = (): void => {
    if (room.opened !== null) return;
    room.size = sizeOf(stdout);
    if (!ascii) stdout.write(saveTitle + alarm.title());
    const frames = createFrames({ ...deps, store: app.store, maxFps: app.config.ui.maxFps, isBlocked: () => stdout.writableNeedDrain === true, restMs: () => restMs(app.store.snapshot(), controller.ui(), clock.now()), draw: picture.draw });
    const instance = renderApp(deps, picture.screen, (suspend) => (room.suspend = suspend));
    room.opened = { frames, instance };
    stdout.on("resize", onResize);
    // When React itself gives up, the screen is put up once more; the proxy behind it goes on.
    instance.waitUntilExit().catch(() => {
      if (room.opened?.instance !== instance) return;
      void close();
      room.retry = clock.setTimeout(open, 1000);
    });
  };

  // A terminal that has gone must not take the proxy with it.
  stdout.on("error", ignore);
  return {
    open,
    close,
    isOpen: () => room.opened !== null,
    size: () => room.size,
    urgent: () => room.opened?.frames.urgent(),
    redraw() {
      room.opened?.instance.clear();
      stdout.write("\u001b[2J\u001b[H");
      picture.renew();
      room.opened?.frames.urgent();
    },
    suspended: async (work) => room.suspend?.(work),
  };
};

const ignore = (): void => {};
const resizeMs = 50;

type Picture = { readonly screen: Screen; readonly draw: (frame: { readonly slow: boolean }) => void; readonly renew: () => void };

// What the component subscribes to: one object per frame.
const createPicture = (controller: Controller, look: (view: View) => void): Picture => {
  const listeners = new Set<() => void>();
  let generation = 0;
  let frame: ReturnType<Screen["snapshot"]> | null = null;
  const next = (slow: boolean) => (frame = { view: controller.view(slow), generation });
  return {
    screen: {
      snapshot: () => frame ?? next(false),
      subscribe(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    draw({ slow }) {
      look(next(slow).view);
      for (const listener of listeners) listener();
    },
    renew: () => void (generation += 1),
  };
};

const renderApp = ({ stdout, stdin, controller }: WindowDeps, screen: Screen, onSuspend: (suspend: Suspend | null) => void): Instance =>
  render(<DashboardApp screen={screen} controller={controller} onSuspend={onSuspend} />, {
    stdout,
    stdin,
    alternateScreen: true,
    incrementalRendering: true,
    patchConsole: false,
    exitOnCtrlC: false,
    maxFps: 20,
    interactive: true,
  });

// A storm of sizes is one size: the last one.
const debounced = (clock: Clock, work: () => void): (() => void) => {
  let timer: Timer | null = null;
  return () => {
    timer?.cancel();
    timer = clock.setTimeout(work, resizeMs);
  };
};

type Alarm = { readonly look: (view: View) => void; readonly title: () => string };

// Looks at every frame whether somebody is needed who was not needed before.
const createAlarm = ({ stdout, app, ascii }: WindowDeps): Alarm => {
  let known: readonly string[] = [];
  const title = (): string => titleBytes(app.store.snapshot().server.port, known.length > 0);
  return {
    title,
    look({ live, now }) {
      const current = causes(live, now);
      const fresh = newCauses(known, current);
      const turned = current.length > 0 !== known.length > 0;
      known = current;
      if (fresh.length > 0) stdout.write(callBytes(app.config.ui.notify));
      if (turned && !ascii) stdout.write(title());
    },
  };
};
