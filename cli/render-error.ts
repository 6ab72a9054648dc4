import pc from 'picocolors';
import { describePlace, type Problem, SluiceError } from '../core/problem/index.ts';
import { printable } from '../core/text/index.ts';

/** More than this many problems are counted, not listed: the first ones are what gets mended. */
const listed = 25;

/** What went wrong, for a person at a terminal: every problem with its place and its fix; a stack only when asked for. */
export function renderError(error: unknown, options: { readonly colour: boolean; readonly debug: boolean }): string {
  const colours = pc.createColors(options.colour);
  const stack = options.debug && error instanceof Error ? `${stackOf(error)}\n` : '';
  if (error instanceof SluiceError) {
    const rest = error.problems.length - listed;
    const more = rest > 0 ? `${colours.dim(`and ${rest} more like these`)}\n` : '';
    return `${error.problems
      .slice(0, listed)
      .map((problem) => renderProblem(problem, colours))
      .join('')}${more}${stack}`;
  }
  const message = error instanceof Error ? error.message : String(error);
  const hint = options.debug
    ? ''
    : `  ${colours.dim('This is not one of the errors Sluice knows. --debug shows where it comes from.')}\n`;
  return `${colours.red('error')} ${printable(message)}\n${hint}${stack}`;
}

function renderProblem(problem: Problem, { bold, cyan, dim, red }: ReturnType<typeof pc.createColors>): string {
  const place = describePlace(problem.place);
  if (problem.code === 'more-problems') return `${dim(printable(problem.message))}\n`;
  const facts = [
    problem.found === undefined ? undefined : `found ${problem.found}`,
    problem.expected === undefined ? undefined : `expected ${problem.expected}`,
  ].filter((fact) => fact !== undefined);
  const sentence = printable(`${problem.message}${facts.length === 0 ? '' : `: ${facts.join(', ')}`}`);
  const head = place === '' ? `${red('error')} ${sentence}` : `${red('error')} ${bold(place)}\n  ${sentence}`;
  return `${head}\n${problem.fix === undefined ? '' : `  ${cyan('fix:')} ${printable(problem.fix)}\n`}`;
}

/** The stack with its causes; printed line by line, so that a hostile message cannot move the cursor. */
function stackOf(error: Error): string {
  const own = (error.stack ?? error.message).split('\n').map(printable).join('\n');
  return error.cause instanceof Error ? `${own}\nCaused by: ${stackOf(error.cause)}` : own;
}
