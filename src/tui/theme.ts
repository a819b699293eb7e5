// How a tone looks, and which characters draw what. Sixteen ANSI names only: the terminal's own theme
// decides what they look like. A colour never says anything that a word beside it does not say too.

export type Tone = "plain" | "dim" | "strong" | "accent" | "good" | "warning" | "error";

/** A run of text in one tone. */
export type Segment = { readonly text: string; readonly tone: Tone };

/** One line of the screen: never wider than the screen, never with a line break inside. */
export type Line = {
  readonly segments: readonly Segment[];
  readonly selected: boolean;
  /** Drawn as an alert: its segments are those of `alertLine`. */
  readonly alert?: Alert;
};

/** What an alert is about; `busy` has a spinner for its sign. */
export type Alert = "busy" | "good" | "warning" | "error";

/** The sign of an alert, so that a failure is one without colours too. */
export const alertSigns: Readonly<Record<Alert, string>> = { busy: "~", good: "+", warning: "!", error: "x" };

/** What Ink's `Text` gets for a tone. `dim` rather than grey: bright black vanishes on some themes. */
export const looks: Readonly<Record<Tone, { readonly color?: string; readonly dimColor?: boolean; readonly bold?: boolean }>> = {
  plain: {},
  dim: { dimColor: true },
  strong: { bold: true },
  accent: { color: "cyan" },
  good: { color: "green" },
  warning: { color: "yellow" },
  error: { color: "red" },
};

export type Glyphs = {
  readonly ascii: boolean;
  readonly ellipsis: string;
  readonly rule: string;
  readonly reset: string;
  readonly between: string;
  readonly branch: string;
};

const unicode: Glyphs = { ascii: false, ellipsis: "…", rule: "─", reset: "↻", between: " · ", branch: "└ " };
const plain: Glyphs = { ascii: true, ellipsis: "~", rule: "-", reset: "~", between: " | ", branch: "- " };

/** The characters of a screen; ASCII ones for `--ascii`, a Linux console and locales without UTF-8. */
export const glyphsFor = (ascii: boolean): Glyphs => (ascii ? plain : unicode);

export const segment = (text: string, tone: Tone = "plain"): Segment => ({ text, tone });

export const lineOf = (...segments: readonly Segment[]): Line => ({ segments, selected: false });

export const emptyLine: Line = { segments: [], selected: false };

const alertTones: Readonly<Record<Alert, Tone>> = { busy: "accent", good: "good", warning: "warning", error: "error" };

/** An alert: a margin, its sign, the text. */
export const alertLine = (alert: Alert, text: string, tone: Tone = alertTones[alert]): Line => ({
  segments: [segment(""), segment(`${alertSigns[alert]} `, tone), segment(text, tone)],
  selected: false,
  alert,
});

/** The alert behind `margin` blanks. */
export const indented = (alert: Line, margin: number): Line => ({ ...alert, segments: [segment(" ".repeat(margin)), ...alert.segments.slice(1)] });
