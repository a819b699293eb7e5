// The dashboard as a component: takes a frame, draws its lines, hands keys to the controller. It is the
// only component that subscribes to anything.
import { Box, useApp, useInput, usePaste } from "ink";
import { useEffect, useSyncExternalStore } from "react";
import type { ReactElement } from "react";
import type { Controller } from "./controller.ts";
import { cut, safe } from "./text.ts";
import { dashboardLines } from "./screens/dashboard.ts";
import { askedOf, PromptLine } from "./screens/prompt.tsx";
import { Rows } from "./screens/rows.tsx";
import { lineOf, segment } from "./theme.ts";
import type { Line } from "./theme.ts";
import type { View } from "./view.ts";

/** Hands the terminal to somebody else while `work` runs, and draws anew afterwards. */
export type Suspend = (work: () => Promise<void>) => Promise<void>;

export type Screen = {
  subscribe(listener: () => void): () => void;
  /** What is to be drawn; the same object until the next frame. */
  snapshot(): { readonly view: View; readonly generation: number };
};

export type DashboardAppProps = { readonly screen: Screen; readonly controller: Controller; readonly onSuspend: (suspend: Suspend | null) => void };

/** Fills the terminal: as many lines as it has rows. */
export const DashboardApp = ({ screen, controller, onSuspend }: DashboardAppProps): ReactElement => {
  const { view, generation } = useSyncExternalStore(screen.subscribe, screen.snapshot);
  const { suspendTerminal } = useApp();
  const prompt = askedOf(view);
  useInput(controller.press);
  usePaste(controller.paste, { isActive: prompt === null });
  useEffect(() => {
    onSuspend((work) => suspendTerminal(work));
    return () => onSuspend(null);
  }, [onSuspend, suspendTerminal]);
  const lines = safeLines(view);
  const { columns, rows } = view.layout;
  return (
    <Box key={generation} flexDirection="column" width={columns} height={rows} overflow="hidden">
      <Rows lines={prompt === null ? lines : lines.slice(0, -1)} />
      {prompt === null ? null : <PromptLine view={view} prompt={prompt} answer={controller.answer} />}
    </Box>
  );
};

// A mistake in drawing must not end the proxy behind it.
const safeLines = (view: View): readonly Line[] => {
  try {
    return dashboardLines(view);
  } catch (error) {
    const why = error instanceof Error ? error.message : "unknown";
    return [lineOf(segment(cut(safe(`The screen could not be drawn (${why}). The proxy goes on. q quits.`, view.glyphs), view.layout.columns - 1, view.glyphs), "error"))];
  }
};
