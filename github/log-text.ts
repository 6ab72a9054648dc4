import { printable } from '../core/text/index.ts';

// The runner reads its commands from what a step prints: `::name::` at a line's start (leading blanks are skipped) and the
// older `##[name]` anywhere in a line. Breaking the keyword keeps the text readable and takes its power.
function defused(line: string): string {
  return line.replace(/^(\s*):(?=:)/, '$1: ').replaceAll('##[', '## [');
}

/** Untrusted text as lines for the job log: no control characters, no line that the runner takes for a command. */
export function logText(text: string): string {
  return text
    .split('\n')
    .map((line) => defused(printable(line)))
    .join('\n');
}
