// Lines as Ink draws them, and live rows on the primary screen. The request table and its surroundings are one `Text`
// for each line, because every layout node costs more than the text in it; alerts are Ink UI's.
import { defaultTheme, extendTheme, Spinner, StatusMessage, ThemeProvider } from "@inkjs/ui";
import type { StatusMessageProps } from "@inkjs/ui";
import { Box, render, Text } from "ink";
import { memo } from "react";
import type { ReactElement, ReactNode } from "react";
import { alertSigns, looks } from "./theme.ts";
import type { Alert, Line } from "./theme.ts";

/** Most `Text` nodes of a frame: in a very tall terminal several lines share one. */
const mostNodes = 50;

/** `lines` from top to bottom. */
export const Rows = ({ lines }: { lines: readonly Line[] }): ReactElement => {
  const size = Math.max(1, Math.ceil(lines.length / mostNodes));
  return (
    <>
      {groupsOf(lines, size).map((group, index) =>
        // A row of the screen is its place.
        isAlert(group[0]) ? <AlertRow key={index} line={group[0]} /> : <Row key={index} lines={group} />,
      )}
    </>
  );
};

type AlertLine = Line & { readonly alert: Alert };

// A cut that took the sign or all of the text leaves an ordinary line.
const isAlert = (line: Line | undefined): line is AlertLine => line?.alert !== undefined && line.segments.length === 3;

const groupsOf = (lines: readonly Line[], size: number): readonly (readonly Line[])[] => {
  const groups: Line[][] = [];
  for (const line of lines) {
    const last = groups.at(-1);
    if (last === undefined || last.length === size || isAlert(line) || isAlert(last[0])) groups.push([line]);
    else last.push(line);
  }
  return groups;
};

const variants: Readonly<Record<Exclude<Alert, "busy">, StatusMessageProps["variant"]>> = { good: "success", warning: "warning", error: "error" };

const AlertRow = ({ line: { segments, alert } }: { line: AlertLine }): ReactElement => {
  const [margin, , message] = segments;
  const text = <Text {...looks[message?.tone ?? "plain"]}>{message?.text}</Text>;
  return (
    <Themed>
      <Box height={1} paddingLeft={margin?.text.length ?? 0}>
        {alert === "busy" ? <Spinner type="line" label={message?.text ?? ""} /> : <StatusMessage variant={variants[alert]}>{text}</StatusMessage>}
      </Box>
    </Themed>
  );
};

const variantSigns: Readonly<Record<StatusMessageProps["variant"], string>> = { info: " ", success: alertSigns.good, warning: alertSigns.warning, error: alertSigns.error };

// Signs that every terminal has; of the colours those that the rest of the screen uses.
const theme = extendTheme(defaultTheme, {
  components: {
    StatusMessage: { config: ({ variant }: Pick<StatusMessageProps, "variant">) => ({ icon: variantSigns[variant] }) },
    Spinner: { styles: { frame: () => looks.accent, label: () => looks.accent } },
    Select: { styles: { focusIndicator: () => looks.accent, label: ({ isFocused }: { readonly isFocused: boolean }) => (isFocused ? looks.accent : {}) } },
  },
});

/** Ink UI's components in the looks of this program. */
export const Themed = ({ children }: { children: ReactNode }): ReactElement => <ThemeProvider theme={theme}>{children}</ThemeProvider>;

const sameLine = (left: Line, right: Line | undefined): boolean =>
  left === right ||
  (right !== undefined &&
    left.selected === right.selected &&
    left.segments.length === right.segments.length &&
    left.segments.every(({ text, tone }, index) => text === right.segments[index]?.text && tone === right.segments[index]?.tone));

// A line that looks the same is not laid out again.
const Row = memo(
  ({ lines }: { lines: readonly Line[] }) => (
    <Text wrap="truncate">
      {lines.map((line, index) => (
        <Text key={index} inverse={line.selected}>
          {index > 0 ? "\n" : ""}
          {line.segments.length === 0 ? " " : line.segments.map(({ text, tone }, at) => (tone === "plain" ? text : <Text key={at} {...looks[tone]}>{text}</Text>))}
        </Text>
      ))}
    </Text>
  ),
  (before, after) => before.lines.length === after.lines.length && before.lines.every((line, index) => sameLine(line, after.lines[index])),
);

/** Both ends are terminals; that was decided before this file was imported. */
export type Terminal = {
  readonly stdin: NodeJS.ReadableStream & { setRawMode?(raw: boolean): unknown };
  readonly stdout: NodeJS.WritableStream & { readonly columns?: number };
};

export type LiveOptions = Terminal & {
  /** Ends the screen from outside. */
  readonly signal: AbortSignal | undefined;
  /** Called when the terminal has gone, when `signal` fires and when Ink ends by itself; `ended` must settle then. */
  readonly quit: () => void;
};

/** Draws `element` below what the primary screen holds until `ended` settles, takes it away again and gives the terminal back. */
export const drawLive = async <T,>(element: ReactElement, { stdin, stdout, signal, quit }: LiveOptions, ended: Promise<T>): Promise<T> => {
  stdin.once("end", quit).once("close", quit);
  signal?.addEventListener("abort", quit, { once: true });
  const screen = render(element, { stdin, stdout, exitOnCtrlC: false, patchConsole: false, interactive: true, isScreenReaderEnabled: false });
  try {
    // Ink unmounts by itself when the process is about to end, and rejects when drawing failed.
    const gone = screen.waitUntilExit().then(() => (quit(), ended));
    const end = await Promise.race([ended, gone]);
    // A frame that Ink's throttle still holds back would be drawn again by `unmount`.
    await screen.waitUntilRenderFlush();
    screen.clear();
    return end;
  } finally {
    signal?.removeEventListener("abort", quit);
    stdin.off("end", quit).off("close", quit);
    screen.unmount();
    await screen.waitUntilExit();
  }
};
