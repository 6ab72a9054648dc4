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

/**
 * Untrusted text as what a workflow command says. GitHub's runner takes the first `::` for the end of the command's head, others
 * (act, Forgejo) the last, so there must be only one.
 */
export function commandText(text: string): string {
  return logText(text).replace(/:(?=:)/g, ': ');
}
