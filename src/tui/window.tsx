// The dashboard's hold on the terminal: opened and closed any number of times (a sign-in takes the screen
// in between), and always gives back the cursor, the keys, the title and the primary screen.
import { render } from "ink";
import type { Instance } from "ink";
import type { App } from "../app/app.ts";
import type { Clock, Timer } from "../lib/clock.ts";
import { createAlerts } from "./alerts.ts";
import { DashboardApp } from "./app.tsx";
import type { Lend, Snapshots } from "./app.tsx";
import type { Controller } from "./controller.ts";
import { createFrames, restMs } from "./frames.ts";
import type { Frames } from "./frames.ts";
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

export type DashboardWindow = {
  open(): void;
  isOpen(): boolean;
  /** Resolves when the terminal is given back. */
  close(): Promise<void>;
  /** 80x24 where it is not known. */
  size(): Size;
  /** Draws at the next opportunity, without waiting for the pace. */
  urgent(): void;
  /** Wipes the screen and draws everything anew. */
  redraw(): void;
  /** Gives the terminal to `work` and takes it back. */
  lend(work: () => Promise<void>): Promise<void>;
};

export type Size = { readonly columns: number; readonly rows: number };

type Mounted = { readonly instance: Instance; readonly frames: Frames };

/** A closed window; `open` draws the first frame. */
export const createWindow = (deps: WindowDeps): DashboardWindow => {
  const { stdout, clock, app, controller } = deps;
  const alerts = createAlerts({ write: (text) => void stdout.write(text), notify: app.config.ui.notify, titled: !deps.ascii });
  const snapshots = createSnapshots(controller);
  let size = sizeOf(stdout);
  let mounted: Mounted | null = null;
  let lend: Lend | null = null;
  let retry: Timer | null = null;
  const onResize = debounced(clock, () => {
    size = sizeOf(stdout);
    mounted?.frames.urgent();
  });

  const close = async (): Promise<void> => {
    retry?.cancel();
    if (mounted === null) return;
    const { frames, instance } = mounted;
    mounted = null;
    frames.stop();
    stdout.off("resize", onResize);
    instance.unmount();
    alerts.close();
    await instance.waitUntilExit().catch(ignore);
  };

  const open = (): void => {
    if (mounted !== null) return;
    size = sizeOf(stdout);
    alerts.open(app.store.snapshot());
    const frames = createFrames({
      clock,
      store: app.store,
      maxFps: app.config.ui.maxFps,
      loopDelayMs: deps.loopDelayMs,
      isBlocked: () => stdout.writableNeedDrain === true,
      restMs: () => restMs(app.store.snapshot(), controller.ui(), clock.now()),
      draw: ({ slow }) => alerts.look(snapshots.next(slow)),
    });
    const instance = renderApp(deps, snapshots, (lender) => (lend = lender));
    mounted = { frames, instance };
    stdout.on("resize", onResize);
    // When React itself gives up, the screen is put up once more; the proxy behind it goes on.
    instance.waitUntilExit().catch(() => {
      if (mounted?.instance !== instance) return;
      void close();
      retry = clock.setTimeout(open, 1000);
    });
  };

  // A terminal that has gone must not take the proxy with it.
  stdout.on("error", ignore);
  return {
    open,
    close,
    isOpen: () => mounted !== null,
    size: () => size,
    urgent: () => mounted?.frames.urgent(),
    redraw() {
      mounted?.instance.clear();
      stdout.write("\u001b[2J\u001b[H");
      snapshots.renew();
      mounted?.frames.urgent();
    },
    lend: async (work) => lend?.(work),
  };
};

const ignore = (): void => {};

const sizeOf = ({ columns, rows }: Output): Size => ({ columns: columns || 80, rows: rows || 24 });

// What the component subscribes to: one object per frame. `renew` makes the next one draw every cell.
const createSnapshots = (controller: Controller): Snapshots & { next(slow: boolean): View; renew(): void } => {
  const listeners = new Set<() => void>();
  let generation = 0;
  let frame: ReturnType<Snapshots["snapshot"]> | null = null;
  const make = (slow: boolean): NonNullable<typeof frame> => (frame = { view: controller.view(slow), generation });
  return {
    snapshot: () => frame ?? make(false),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    next(slow) {
      const { view } = make(slow);
      for (const listener of listeners) listener();
      return view;
    },
    renew: () => void (generation += 1),
  };
};

const renderApp = ({ stdout, stdin, controller }: WindowDeps, snapshots: Snapshots, onLend: (lend: Lend | null) => void): Instance =>
  render(<DashboardApp snapshots={snapshots} controller={controller} onLend={onLend} />, {
    stdout,
    stdin,
    alternateScreen: true,
    incrementalRendering: true,
    patchConsole: false,
    exitOnCtrlC: false,
    maxFps: 20,
    interactive: true,
  });

const resizeMs = 50;

// A storm of sizes is one size: the last one.
const debounced = (clock: Clock, work: () => void): (() => void) => {
  let timer: Timer | null = null;
  return () => {
    timer?.cancel();
    timer = clock.setTimeout(work, resizeMs);
  };
};
