import { printable } from '../text/index.ts';
import type { Place, Problem } from './problem.ts';

/** `sluice.yaml:12:5 gates.accuracy`: the form editors and terminals make clickable. Empty when nothing is known. */
export function describePlace(place: Place | undefined): string {
  if (place === undefined) return '';
  const position = [place.file, place.line, place.line === undefined ? undefined : place.column]
    .filter((part) => part !== undefined)
    .join(':');
  return printable([position, place.key].filter((part) => part !== undefined && part !== '').join(' '));
}

/** One line: place, what is wrong, what was found, what was expected, how to fix it. Safe to print: no control characters. */
export function describeProblem(problem: Problem): string {
  const place = describePlace(problem.place);
  const facts = [
    problem.found === undefined ? undefined : `found ${problem.found}`,
    problem.expected === undefined ? undefined : `expected ${problem.expected}`,
  ].filter((fact) => fact !== undefined);
  const sentence = `${problem.message}${facts.length === 0 ? '' : `: ${facts.join(', ')}`}`;
  const fix = problem.fix === undefined ? '' : ` ${problem.fix}`;
  return printable(`${place === '' ? '' : `${place}: `}${sentence}${/[.!?]$/.test(sentence) ? '' : '.'}${fix}`);
}
