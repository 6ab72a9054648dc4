import { type SignatureChange, signatureChanges } from '../../core/onnx/index.ts';
import { type EffectivePolicy, policyDefaults } from '../../core/policy/index.ts';
import type { Bound, Check } from '../../core/report/index.ts';
import { excerpt } from '../../core/text/index.ts';
import { type Demand, skipped, unjudged } from './bound-check.ts';
import { counted } from './number-text.ts';
import type { NoBaseline } from './subject.ts';

type Signature = Parameters<typeof signatureChanges>[0];

/** More changes than these are counted, not told. */
const mostTold = 5;

/**
 * Holds what the candidate takes and gives against the baseline's: whoever calls the model must not be broken by a merge. Asked wherever
 * there is a baseline, unless the policy (the base branch's, too) allows it; without one only where the policy names the gate.
 */
export function signatureChecks(
  policy: EffectivePolicy,
  candidate: Signature,
  baseline: Signature | undefined,
  noBaseline: NoBaseline,
): readonly Check[] {
  const { gates } = policy.policy;
  const given = gates?.signature;
  if (gates === undefined || (given === undefined && baseline === undefined)) return [];
  const allowed = (given?.breaking ?? policyDefaults.signature.breaking) === 'allow';
  const bound: Bound = {
    kind: 'must_hold',
    value: allowed ? 'changes are told' : 'no caller of the baseline breaks',
  };
  const demand: Demand = {
    id: 'gate/signature/breaking',
    title: allowed ? 'inputs and outputs may change' : 'inputs and outputs stay compatible',
    bound,
    unit: 'none',
    severity: given?.severity,
    reason: given?.reason,
    place: policy.placeOf(given === undefined ? ['model', 'path'] : ['gates', 'signature', 'breaking']),
  };
  if (baseline === undefined) return [(noBaseline.kind === 'absent' ? skipped : unjudged)(demand, noBaseline.why)];
  const changes = signatureChanges(baseline, candidate);
  const breaking = changes.filter((change) => change.breaking);
  const broken = breaking.length > 0 && !allowed;
  const { severity, reason, ...head } = demand;
  return [
    {
      ...head,
      section: 'gate',
      status: broken ? (severity === 'warn' ? 'warn' : 'fail') : 'pass',
      observed: observed(changes.length, breaking.length),
      message: [
        changes.length === 0 ? 'The model takes and gives what the baseline does.' : told(breaking, changes),
        ...(broken
          ? [
              'Callers of the baseline break: release it under another name, or merge "gates: { signature: { breaking: allow } }" or a waiver first.',
            ]
          : []),
        ...(reason === undefined ? [] : [`The bound's reason: ${reason}.`]),
      ].join(' '),
    },
  ];
}

function observed(changes: number, breaking: number): string {
  if (breaking > 0) return `${counted(breaking, 'breaking change')}`;
  return changes === 0 ? 'unchanged' : `${counted(changes, 'compatible change')}`;
}

function told(breaking: readonly SignatureChange[], changes: readonly SignatureChange[]): string {
  const ordered = [...breaking, ...changes.filter((change) => !change.breaking)];
  const words = ordered
    .slice(0, mostTold)
    .map(({ side, name, what }) => `${side} "${excerpt(name, 60)}" ${excerpt(what, 200)}`);
  const more = ordered.length - words.length;
  const text = `${words.join('; ')}${more > 0 ? `; and ${counted(more, 'more change')}` : ''}.`;
  return text.charAt(0).toUpperCase() + text.slice(1);
}
