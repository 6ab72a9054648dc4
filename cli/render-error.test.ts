import { expect, test } from 'vitest';
import { PolicyError, type Problem } from '../core/problem/index.ts';
import { renderError } from './render-error.ts';

const plain = { colour: false, debug: false };
const problem: Problem = {
  code: 'unknown-key',
  message: 'unknown key "accuraccy"',
  place: { file: 'sluice.yaml', line: 4, column: 3, key: 'gates.accuraccy' },
  fix: 'Write accuracy.',
};

test('a problem is shown with its place and its fix and without a stack', () => {
  expect(renderError(new PolicyError(problem), plain)).toBe(
    'error sluice.yaml:4:3 gates.accuraccy\n  unknown key "accuraccy"\n  fix: Write accuracy.\n',
  );
});

test('what was found and expected stands behind the message', () => {
  const error = new PolicyError({ code: 'range', message: 'out of range', found: '1.2', expected: 'at most 1' });
  expect(renderError(error, plain)).toBe('error out of range: found 1.2, expected at most 1\n');
});

test('with thousands of problems the first ones are listed and the rest counted', () => {
  const [first, ...others] = Array.from({ length: 5000 }, () => problem);
  if (first === undefined) throw new Error('unreachable');
  const text = renderError(new PolicyError([first, ...others]), plain);
  expect(text.match(/^error/gm)).toHaveLength(25);
  expect(text).toContain('and 4975 more');
});

test('an unexpected error shows its message, and its stack and causes only with debug', () => {
  const error = new Error('the disk is gone', { cause: new Error('EIO') });
  expect(renderError(error, plain)).not.toContain('    at ');
  const text = renderError(error, { colour: false, debug: true });
  expect(text).toContain('    at ');
  expect(text).toContain('Caused by: Error: EIO');
});

test('a hostile message cannot write terminal escapes', () => {
  const text = renderError(new PolicyError({ code: 'x', message: '\u001b]0;owned\u0007\nerror forged' }), plain);
  expect(text).not.toMatch(/[\u001b\u0007]/);
  expect(text.trimEnd().split('\n')).toHaveLength(1);
});
