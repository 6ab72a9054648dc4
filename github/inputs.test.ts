import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { InputError } from '../core/problem/index.ts';
import { gateInputsFrom, todayOf } from './inputs.ts';

const read = (values: Readonly<Record<string, string>>) => (name: string) => values[name] ?? '';

test('what is not set has the defaults of action.yml', () => {
  expect(gateInputsFrom(read({}))).toEqual({
    policyFile: 'sluice.yaml',
    directory: process.cwd(),
    base: { kind: 'event' },
    comment: 'always',
    checkRun: true,
  });
});

test('what is set is taken', () => {
  const given = {
    policy: 'ml/gate.yaml',
    'working-directory': 'github',
    'report-directory': 'out',
    token: 'ghs_x',
    comment: 'On-Failure',
    'check-run': 'false',
  };
  expect(gateInputsFrom(read(given))).toEqual({
    policyFile: 'ml/gate.yaml',
    directory: resolve('github'),
    base: { kind: 'event' },
    reportDirectory: 'out',
    token: 'ghs_x',
    comment: 'on-failure',
    checkRun: false,
  });
});

test('every wrong value is named at once, with what is allowed', () => {
  const wrong = () => gateInputsFrom(read({ comment: 'sometimes', 'check-run': 'maybe' }));
  expect(wrong).toThrow(InputError);
  expect(wrong).toThrow(
    /"comment".*"sometimes".*always, on-failure, never\. .*"always"\.\n.*"check-run".*"maybe".*true, false/,
  );
});

test.each(['no/such/folder', 'package.json'])('a working directory that is none (%s) says what to do', (folder) => {
  expect(() => gateInputsFrom(read({ 'working-directory': folder }))).toThrow(/actions\/checkout/);
});

test('today is a date in UTC', () => {
  expect(todayOf({})).toMatch(/^\d{4}-\d{2}-\d{2}$/);
  expect(todayOf({ today: '2026-11-21' })).toBe('2026-11-21');
});
