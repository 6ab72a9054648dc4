import { stringify } from 'yaml';
import type { RuleGroup } from '../../dashboards/index.ts';

/** A rule file as Prometheus reads it. The same groups give the same text. */
export function ruleFile(groups: readonly RuleGroup[]): string {
  // No line is folded, so that an expression is found as it was written.
  return stringify({ groups }, { lineWidth: 0, aliasDuplicateObjects: false });
}
