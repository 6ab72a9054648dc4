import { dirname, resolve } from 'node:path';
import { type CanaryPolicy, headOnly, readPolicy } from '../../core/policy/index.ts';
import { InputError } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';
import { type Gate, readEvent } from '../../github/index.ts';
import type { CanaryPlace } from './canary-inputs.ts';

/** The policy a rollout follows, and where it stands. */
export interface CanaryGate extends Gate {
  readonly canary: CanaryPolicy;
}

/**
 * The policy as it is checked out: a rollout follows the merge, so there is no base to be stricter than. What it says of undecided checks and
 * waivers is for gates: a rollout that holds is no failure, and one that was rolled back can't be waived into a success.
 */
export async function openCanaryGate(
  { directory, policyFile, base }: CanaryPlace,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<CanaryGate> {
  const event = base?.kind === 'event' ? await readEvent(environment) : undefined;
  const file = resolve(directory, policyFile);
  const read = headOnly(await readPolicy(file, policyFile));
  const { canary, waivers: _, ...policy } = read.policy;
  if (canary === undefined) {
    throw new InputError({
      code: 'no-canary',
      message: `${excerpt(policyFile)} has no key "canary"`,
      place: { file: policyFile },
      fix: 'Add it: who moves the traffic, where the metrics are, and by which steps. See actions/canary/README.md.',
    });
  }
  return {
    policy: { ...read, policy: { ...policy, canary, on_inconclusive: 'warn' } },
    directory: dirname(file),
    canary,
    notices: [],
    ...(event === undefined ? {} : { event }),
    ...(event === undefined || event.headSha === '' ? {} : { commit: { head: event.headSha } }),
  };
}
