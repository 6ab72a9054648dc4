import type { Spot } from './ledger.ts';
import { isOutside } from './outside-names.ts';
import { type Gates, metricNames, type Policy } from './schema.ts';
import { isJudgedOutside } from './stricter-source.ts';

/**
 * The head's policy without the parts that wait for the merge as a whole: a model or evaluation rows outside of the repository where the base has
 * none, and the demands that only they can answer, none of which the base has. They are told as differences.
 */
export function withoutPartsThatWait(base: Policy, head: Policy, at: Spot): Policy {
  const modelWaits = base.model === undefined && head.model !== undefined && isJudgedOutside(head.model);
  const rowsWait = base.evaluation === undefined && head.evaluation !== undefined && isOutside(head.evaluation.source);
  if (!modelWaits && !rowsWait) return head;

  const waiting = new Set<keyof Policy>([
    ...(modelWaits ? (['model', 'gates', 'episodes', 'explain'] as const) : []),
    ...(rowsWait ? (['evaluation', 'explain'] as const) : []),
  ]);
  const kept: Policy = { ...head };
  for (const key of waiting) {
    if (head[key] === undefined) continue;
    at.field(key).differs(undefined, head[key], 'base');
    delete kept[key];
  }
  if (kept.gates === undefined) return kept;
  const gates = gatesWithoutRows(base.gates ?? {}, kept.gates, at.field('gates'), head.episodes !== undefined);
  delete kept.gates;
  return gates === undefined ? kept : { ...kept, gates };
}

const rowGates: readonly string[] = [...metricNames, 'custom', 'fairness', 'variants'];

/** The gates that need no evaluation rows, and those that the base demands too. */
function gatesWithoutRows(base: Gates, head: Gates, at: Spot, episodes: boolean): Gates | undefined {
  const waits = (key: string) =>
    !Object.hasOwn(base, key) && (rowGates.includes(key) || (key === 'guardrails' && !episodes));
  const kept = Object.entries(head).filter(([key, value]) => {
    if (waits(key)) at.field(key).differs(undefined, value, 'base');
    return !waits(key);
  });
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}
