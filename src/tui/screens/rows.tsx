// Lines as Ink draws them: one `Text` for each line, and for several lines in very tall terminals, because
// every layout node costs more than the text in it.
import { Text } from "ink";
import { memo } from "react";
import type { ReactElement } from "react";
import { looks } from "../theme.ts";
import type { Line } from "../theme.ts";

/** Most `Text` nodes of a frame. */
const mostNodes = 50;

/** `lines` from top to bottom. */
export const Rows = ({ lines }: { lines: readonly Line[] }): ReactElement => {
  const size = Math.max(1, Math.ceil(lines.length / mostNodes));
  const groups = Array.from({ length: Math.ceil(lines.length / size) }, (_, index) => lines.slice(index * size, (index + 1) * size));
  return (
    <>
      {groups.map((group, index) => (
        // oxlint-disable-next-line react/no-array-index-key -- a row of the screen is its place
        <Row key={index} lines={group} />
      ))}
    </>
  );
};

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
        // oxlint-disable-next-line react/no-array-index-key -- see above
        <Text key={index} inverse={line.selected}>
          {index > 0 ? "\n" : ""}
          {line.segments.length === 0 ? " " : line.segments.map(({ text, tone }, at) => (tone === "plain" ? text : <Text key={at} {...looks[tone]}>{text}</Text>))}
        </Text>
      ))}
    </Text>
  ),
  (before, after) => before.lines.length === after.lines.length && before.lines.every((line, index) => sameLine(line, after.lines[index])),
);
