import { expect, test } from 'vitest';
import type { Check, Status } from './check.ts';
import { headlineOf } from './headline.ts';
import { exitCodeOf, verdictOf } from './verdict.ts';

const checksOf = (...found: readonly Status[]): readonly Check[] =>
  found.map((status, position) => ({
    id: `c${position}`,
    title: `check ${position}`,
    section: 'gate',
    status,
    message: 'It is so.',
  }));
const lenient = { onInconclusive: 'warn' } as const;
const strict = { onInconclusive: 'error' } as const;

test.each([
  [['pass', 'pass'], lenient, 'passed'],
  [['pass', 'warn', 'waived', 'skipped', 'inconclusive'], lenient, 'passed'],
  [['pass', 'inconclusive'], strict, 'failed'],
  [['pass', 'fail'], lenient, 'failed'],
  [['pass', 'fail', 'error'], lenient, 'error'],
  [[], lenient, 'error'],
  [['skipped', 'skipped'], lenient, 'error'],
] as const)('%j with %j is %s', (found, policy, verdict) => {
  expect(verdictOf(checksOf(...found), policy)).toBe(verdict);
});

test('a program can tell a gate that failed from one that broke', () => {
  expect([exitCodeOf('passed'), exitCodeOf('failed'), exitCodeOf('error')]).toEqual([0, 100, 1]);
});

test.each([
  [['pass', 'pass'], lenient, 'All 2 checks passed'],
  [['pass'], lenient, 'The one check passed'],
  [['pass', 'warn', 'skipped'], lenient, 'None of 3 checks failed; 1 warned, 1 skipped: check 1: It is so.'],
  [['pass', 'skipped'], lenient, 'None of 2 checks failed; 1 skipped'],
  [['pass', 'fail', 'fail'], lenient, '2 of 3 checks failed: check 1: It is so.'],
  [['inconclusive'], strict, '1 of 1 check inconclusive, and the policy asks for proof: check 0: It is so.'],
  [['error', 'fail'], lenient, '1 of 2 checks could not be judged: check 0: It is so.'],
  [[], lenient, 'Nothing was judged: the policy led to no checks'],
  [['skipped', 'skipped'], lenient, 'Nothing was judged: all 2 checks were skipped'],
] as const)('the headline of %j with %j is %s', (found, policy, headline) => {
  expect(headlineOf(checksOf(...found), policy)).toBe(headline);
});

test('the headline says which bound of the interval decided', () => {
  const check: Check = {
    id: 'a',
    title: 'accuracy ≥ 0.90',
    section: 'gate',
    status: 'fail',
    message: '',
    observed: 0.871,
    bound: { kind: 'min', value: 0.9 },
    evidence: { estimate: 0.871, lower: 0.862, upper: 0.879, level: 0.9, method: 'Wilson', n: 1000 },
  };
  expect(headlineOf([check], lenient)).toBe('1 of 1 check failed: accuracy ≥ 0.90: 0.8710 (upper bound 0.8790)');
});
