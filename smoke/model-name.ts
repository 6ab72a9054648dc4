import { InputError } from '../core/problem/index.ts';
import type { ProtocolName } from './protocol.ts';
import type { Target } from './target.ts';

/** The target's model; an InputError for protocols whose paths need one. */
export function modelName(target: Target, protocol: ProtocolName): string {
  if (target.model !== undefined && target.model !== '') return target.model;
  throw new InputError({
    code: 'no-model-name',
    message: `the protocol ${protocol} needs the model's name on the server`,
    fix: 'Give it as `model`.',
  });
}
