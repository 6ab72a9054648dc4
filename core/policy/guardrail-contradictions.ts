import { excerpt } from '../text/index.ts';
import { lacksBound, minAboveMax } from './bound-contradictions.ts';
import type { Contradiction } from './contradictions.ts';
import { isMapping, type PolicyPath, valueAt } from './policy-path.ts';

/** Rules over a list of guardrails, wherever it stands: something is demanded, nothing twice, nothing that excludes itself. */
export function contradictionsOfGuardrails(guardrails: unknown, path: PolicyPath): readonly Contradiction[] {
  if (!Array.isArray(guardrails)) return [];
  const seen = new Set<string>();
  return guardrails.flatMap((guardrail: unknown, index) => {
    const at: PolicyPath = [...path, index];
    const held = JSON.stringify([valueAt(guardrail, ['output']), valueAt(guardrail, ['element'])]);
    const repeated = isMapping(guardrail) && 'output' in guardrail && seen.has(held);
    seen.add(held);
    return [
      ...lacksBound(guardrail, ['min', 'max', 'values', 'finite'], 'the guardrail', at),
      ...minAboveMax(guardrail, at),
      ...valuesAndRange(guardrail, at),
      ...(repeated
        ? [
            {
              code: 'repeated-guardrail',
              message: `"${excerpt(String(valueAt(guardrail, ['output'])))}" already has a guardrail above`,
              path: [...at, 'output'],
              fix: 'Put all bounds of an output (or of one of its elements) into one entry.',
            },
          ]
        : []),
    ];
  });
}

/** A list of values says all that a range could say. */
function valuesAndRange(guardrail: unknown, path: PolicyPath): readonly Contradiction[] {
  if (!isMapping(guardrail) || !('values' in guardrail)) return [];
  return ['min', 'max']
    .filter((key) => key in guardrail)
    .map((key) => ({
      code: 'no-effect',
      message: `${key} has no effect beside values, which lists all there may be`,
      path: [...path, key],
      fix: 'Remove one of them.',
    }));
}
