import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { InputError, type Problem } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';
import type { GateInputs } from '../../github/index.ts';

/** Which rollout, and how to reach what moves its traffic. */
export interface CanaryPlace extends Pick<GateInputs, 'policyFile' | 'directory' | 'base' | 'token'> {
  /** The rollout; whichever is on when not given, and for a run the repository and the commit. */
  readonly id?: string;
  /** Relative to `directory`. */
  readonly kubeconfig?: string;
  readonly context?: string;
}

/** What a run is told, whoever starts it. Paths are relative to `directory`. */
export interface CanaryInputs extends GateInputs, CanaryPlace {
  /** Where Prometheus is; wins over the policy's. */
  readonly metricsUrl?: string;
  /** The environment variable with a token for it. */
  readonly metricsTokenVariable?: string;
  /** PEM of a certificate authority to trust beside the system's. */
  readonly metricsCaFile?: string;
  /** After so many minutes the run stops at a safe point. */
  readonly maxMinutes?: number;
  /** The GitHub environment to show a deployment under. */
  readonly deployment?: string;
  /** An incoming webhook; a secret. */
  readonly webhook?: string;
  readonly grafanaUrl?: string;
  readonly grafanaTokenVariable?: string;
}

export const canaryCommands = ['run', 'continue', 'status', 'pause', 'resume', 'approve', 'skip', 'abort'] as const;
export type CanaryCommand = (typeof canaryCommands)[number];

/** The inputs of `action.yml`, beside those that every gate has. Throws an `InputError` with every problem. */
export function canaryInputsFrom(
  gate: GateInputs,
  read: (name: string) => string,
): CanaryInputs & { readonly command: CanaryCommand } {
  const problems: Problem[] = [];
  const given = <Key extends string>(key: Key, input: string) => {
    const value = read(input).trim();
    return value === '' ? {} : ({ [key]: value } as Record<Key, string>);
  };
  const word = read('command').trim().toLowerCase() || 'run';
  const command = canaryCommands.find((known) => known === word);
  if (command === undefined) {
    problems.push({
      code: 'input',
      message: 'the input "command" is not one of its values',
      found: `"${excerpt(word)}"`,
      expected: canaryCommands.join(', '),
      fix: 'Write one of them, or leave the input out for "run".',
    });
  }
  const minutes = read('max-minutes').trim();
  const maxMinutes = minutes === '' ? undefined : Number(minutes);
  if (maxMinutes !== undefined && !(maxMinutes > 0 && Number.isFinite(maxMinutes))) {
    problems.push({
      code: 'input',
      message: 'the input "max-minutes" is not a time',
      found: `"${excerpt(minutes)}"`,
      expected: 'minutes above 0, such as 350',
      fix: 'Leave some minutes before the job would be ended: on the runners of GitHub it may last 360.',
    });
  }
  const [first, ...rest] = problems;
  if (first !== undefined || command === undefined) throw new InputError([first ?? unreachable, ...rest]);
  return {
    ...gate,
    command,
    ...given('id', 'id'),
    ...given('metricsUrl', 'metrics-url'),
    ...given('metricsTokenVariable', 'metrics-token-env'),
    ...given('metricsCaFile', 'metrics-ca'),
    ...given('kubeconfig', 'kubeconfig'),
    ...given('context', 'context'),
    ...(maxMinutes === undefined ? {} : { maxMinutes }),
    ...given('deployment', 'deployment'),
    ...given('webhook', 'webhook'),
    ...given('grafanaUrl', 'grafana-url'),
    ...given('grafanaTokenVariable', 'grafana-token-env'),
  };
}

const unreachable: Problem = { code: 'input', message: 'the input "command" is missing' };

/** The secret in an environment variable. Throws an `InputError` when there is none. */
export function secretOf(
  variable: string | undefined,
  input: string,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (variable === undefined) return undefined;
  const found = environment[variable]?.trim() ?? '';
  if (found !== '') return found;
  throw new InputError({
    code: 'no-token',
    message: `${input} names ${excerpt(variable, 60)}, and that environment variable is ${environment[variable] === undefined ? 'not set' : 'empty'}`,
    fix: 'Set it: in a workflow under "env:" of this step, from a secret. It is the name of the variable, not the token.',
  });
}

/** The text of the certificate authority's file. */
export async function metricsCaOf({
  metricsCaFile,
  directory,
}: Pick<CanaryInputs, 'metricsCaFile' | 'directory'>): Promise<string | undefined> {
  if (metricsCaFile === undefined) return undefined;
  try {
    return await readFile(resolve(directory, metricsCaFile), 'utf8');
  } catch (cause) {
    throw new InputError(
      {
        code: 'missing-file',
        message: 'the certificate authority of the metrics cannot be read',
        place: { file: metricsCaFile },
        fix: 'Check the path of the PEM file.',
      },
      { cause },
    );
  }
}
