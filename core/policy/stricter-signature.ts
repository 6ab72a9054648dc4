import { policyDefaults } from './defaults.ts';
import { fields, type Merge, stricterOfChoices } from './merge.ts';
import type { SignaturePolicy } from './signature-schema.ts';
import { reason, severity } from './stricter-data.ts';

const both = fields<SignaturePolicy>({
  breaking: stricterOfChoices(['allow', 'forbid'], policyDefaults.signature.breaking),
  severity,
  reason,
});

/** Silence forbids breaking changes, so a side that is silent is one that demands: the head alone can't allow what the base doesn't. */
export const mergeSignature: Merge<SignaturePolicy> = (base, head, at) =>
  base === undefined && head === undefined ? undefined : both(base ?? {}, head ?? {}, at);
