import columnsOf from 'fast-string-width';
import { printable } from '../../text/index.ts';

/** Columns a text takes in a terminal: two for CJK and emoji, none for combining marks. */
export function widthOf(text: string): number {
  return columnsOf(text);
}

/** Untrusted text in at most `width` columns, an ellipsis where it is cut; never through a character that is drawn as one. */
export function cut(text: string, width: number): string {
  const safe = printable(text);
  if (widthOf(safe) <= width) return safe;
  let kept = '';
  let used = 0;
  for (const { segment } of new Intl.Segmenter('en').segment(safe)) {
    const columns = widthOf(segment);
    if (used + columns > width - 1) break;
    kept += segment;
    used += columns;
  }
  return width < 1 ? '' : `${kept}…`;
}

/** `cut`, filled up to exactly `width` columns. */
export function cell(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const shown = cut(text, width);
  const space = ' '.repeat(Math.max(0, width - widthOf(shown)));
  return align === 'right' ? `${space}${shown}` : `${shown}${space}`;
}

/** Untrusted text broken at spaces into lines of at most `width` columns; a longer word is cut. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of printable(text)
    .split(' ')
    .filter((part) => part !== '')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (widthOf(longer) <= width) {
      line = longer;
      continue;
    }
    if (line !== '') lines.push(line);
    line = cut(word, width);
  }
  return line === '' ? lines : [...lines, line];
}
