import { basename, dirname, resolve } from 'node:path';
import { type EffectivePolicy, headOnly, readPolicy, type SmokePolicy } from '../../core/policy/index.ts';
import { type Gate, readEvent } from '../../github/index.ts';
import { protocolNames } from '../../smoke/index.ts';
import { policyFileOf, type SmokeInputs } from './smoke-inputs.ts';

/** What a smoke test is judged by, and where it stands. */
export interface SmokeGate extends Gate {
  readonly smoke: SmokePolicy;
}

/**
 * The policy as it is checked out: a smoke test runs after the merge, so there is no base to be stricter than. What the inputs say wins over it.
 * Without a policy file the inputs alone decide.
 */
export async function openSmokeGate(
  inputs: SmokeInputs,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<SmokeGate> {
  const event = inputs.base?.kind === 'event' ? await readEvent(environment) : undefined;
  const file = policyFileOf(inputs);
  const policy =
    file === undefined ? fromInputs(inputs) : headOnly(await readPolicy(resolve(inputs.directory, file), file));
  const directory = file === undefined ? inputs.directory : dirname(resolve(inputs.directory, file));
  const protocol = protocolNames.find((known) => known === inputs.protocol);
  const written = policy.policy.smoke ?? {};
  return {
    policy,
    directory,
    notices:
      file !== undefined && policy.policy.smoke === undefined
        ? [{ level: 'notice', message: `${file} has no key "smoke", so the plan is the usual one.`, place: { file } }]
        : [],
    ...(event === undefined ? {} : { event }),
    ...(event === undefined || event.headSha === '' ? {} : { commit: { head: event.headSha } }),
    smoke: {
      ...written,
      ...(protocol === undefined ? {} : { protocol }),
      ...(inputs.modelName === undefined ? {} : { model: inputs.modelName }),
      ...(inputs.version === undefined ? {} : { version: inputs.version }),
      ...(inputs.deadline === undefined ? {} : { ready: { ...written.ready, deadline: inputs.deadline } }),
    },
  };
}

/** No file: nothing has a place, and the report is called by the model. */
function fromInputs({ modelName, modelFile }: SmokeInputs): EffectivePolicy {
  const name = modelName ?? (modelFile === undefined ? undefined : basename(modelFile));
  return {
    policy: { version: 1, ...(name === undefined ? {} : { name }), smoke: {} },
    file: 'none',
    origin: 'head-only',
    differences: [],
    placeOf: () => ({}),
  };
}
