import { resolve } from 'node:path';
import { InputError } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';
import type { GateInputs, PublishOptions } from '../../github/index.ts';

/** What publishing is told. */
export interface PublishInputs
  extends Pick<GateInputs, 'directory' | 'reportDirectory' | 'token' | 'comment' | 'checkRun'> {
  readonly artifact: string;
  /** A file to read instead of the artifact, absolute. */
  readonly report?: string;
  readonly part?: PublishOptions['part'];
}

const partOfGate: Readonly<Record<string, PublishOptions['part']>> = {
  'validate-data': 'data',
  'quality-gate': 'model',
  'detect-drift': 'drift',
  'smoke-test': 'smoke',
};

/**
 * The inputs of `action.yml`, beside those that every gate has. The working directory need not exist: nothing is checked out here. Throws an
 * `InputError`.
 */
export function publishInputsFrom(
  gate: Omit<GateInputs, 'policyFile' | 'directory'>,
  read: (name: string) => string,
): PublishInputs {
  const named = read('gate').trim();
  const part = named === '' || named === 'pull-request-gate' ? undefined : partOfGate[named];
  if (part === undefined && named !== '' && named !== 'pull-request-gate') {
    throw new InputError({
      code: 'input',
      message: 'the input "gate" is not one of its values',
      found: `"${excerpt(named)}"`,
      expected: ['pull-request-gate', ...Object.keys(partOfGate)].join(', '),
      fix: 'Name the action that wrote the report, or leave the input out for the whole gate.',
    });
  }
  const report = read('report').trim();
  return {
    directory: resolve(read('working-directory').trim()),
    artifact: read('artifact').trim() || 'sluice-report',
    comment: gate.comment,
    checkRun: gate.checkRun,
    ...(gate.token === undefined ? {} : { token: gate.token }),
    ...(gate.reportDirectory === undefined ? {} : { reportDirectory: resolve(gate.reportDirectory) }),
    ...(report === '' ? {} : { report: resolve(report) }),
    ...(part === undefined ? {} : { part }),
  };
}
