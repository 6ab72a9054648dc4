import { Command } from 'commander';
import { expect, test } from 'vitest';
import { addGateFlags, type GateFlags, gateInputsOf } from './gate-flags.ts';

const inputsOf = (...argv: string[]) => {
  const command = addGateFlags(new Command('gate').exitOverride()).parse(argv, { from: 'user' });
  return gateInputsOf(command.opts<GateFlags>(), '/repository');
};

test('without flags the policy is sluice.yaml of the working directory, and there is no base', () => {
  expect(inputsOf()).toEqual({
    policyFile: 'sluice.yaml',
    directory: '/repository',
    comment: 'never',
    checkRun: false,
  });
});

test('every flag has its input', () => {
  expect(inputsOf('--policy', 'a/p.yaml', '--base', 'origin/main', '--report', 'out')).toEqual({
    policyFile: 'a/p.yaml',
    directory: '/repository',
    base: { kind: 'ref', ref: 'origin/main' },
    reportDirectory: 'out',
    comment: 'never',
    checkRun: false,
  });
});

test('a command publishes nothing, even where a token is in the environment', () => {
  const inputs = inputsOf();
  expect(inputs.comment).toBe('never');
  expect(inputs.checkRun).toBe(false);
  expect(inputs).not.toHaveProperty('token');
});
