import {
  type EffectivePolicy,
  type FairnessMetric,
  fairnessMetrics,
  policyDefaults,
} from '../../../core/policy/index.ts';
import { normalQuantile } from '../../../core/statistics/index.ts';
import { counted, numberText } from '../number-text.ts';
import type { EvaluationFacts, PartFacts } from './evaluation-facts.ts';
import type { BoundResolution } from './finding.ts';
import type { Linted } from './metric-lint.ts';
import { reliability } from './resolution.ts';

/** About where the rates of a usable classifier are, before it has run. */
const usualRate = 0.85;

/** What the bounds on disparities can tell: as little as the two smallest groups allow. Of a regression nothing is known before it has run. */
export function lintGroups(
  { policy, placeOf }: EffectivePolicy,
  groups: readonly PartFacts[],
  facts: EvaluationFacts,
  level: number,
): Linted {
  const fairness = policy.gates?.fairness;
  if (fairness === undefined) return { bounds: [], findings: [] };
  const least = fairness.min_rows ?? policyDefaults.min_rows;
  const large = groups.filter(({ rows }) => rows >= least);
  const small = groups.length - large.length;
  const place = placeOf(['gates', 'fairness', 'group']);
  const findings: Linted['findings'] = [
    ...(large.length < 2
      ? [
          {
            code: 'no-groups',
            level: 'warning' as const,
            message: `fairness compares nothing: fewer than two groups have min_rows (${least}) or more`,
            fix: 'Evaluate on more rows of them, or group more coarsely.',
            place,
          },
        ]
      : small > 0
        ? [
            {
              code: 'small-groups',
              level: 'note' as const,
              message: `fairness leaves out ${counted(small, 'group')} with fewer than min_rows (${least})`,
              fix: 'Evaluate on more rows of them.',
              place,
            },
          ]
        : []),
  ];
  if (large.length < 2 || facts.classes.length === 0) return { bounds: [], findings };
  const [positives = 0] = facts.classes;
  const reach = normalQuantile(level) + normalQuantile(reliability);
  const bounds = fairnessMetrics.flatMap((name): readonly BoundResolution[] => {
    const bound = fairness[name];
    if (bound === undefined) return [];
    const rate = isSelection(name) ? positives / facts.rows : usualRate;
    const sizes = large.map((group) => rowsOf(name, group)).sort((one, other) => one - other);
    const [one = 1, other = 1] = sizes.map((rows) => Math.max(1, rows));
    const noise = Math.sqrt(rate * (1 - rate) * (1 / one + 1 / other));
    const limit = name.endsWith('_ratio') ? bound.min : bound.max;
    if (limit === undefined) return [];
    const ratio = name.endsWith('_ratio');
    const sees = ratio ? limit - (reach * noise) / rate : limit + reach * noise;
    const kind = ratio ? 'min' : 'max';
    const title = `${name} ${ratio ? '≥' : '≤'} ${limit}`;
    const possible = ratio ? sees > 0 : sees < 1;
    const words = possible
      ? `reliably fails ${ratio ? '≤' : '≥'} ${numberText(Number(sees.toPrecision(2)))} (groups of ${one} and ${other} rows)`
      : `can hardly fail: the smallest groups have ${one} and ${other} rows for it`;
    return [{ id: `gate/fairness/${name}/${kind}`, title, words, rows: one + other, ...(possible ? { sees } : {}) }];
  });
  return { bounds, findings };
}

function isSelection(name: FairnessMetric): boolean {
  return name.startsWith('demographic_parity') || name.startsWith('selection_rate');
}

/** Rows of a group that a rate is measured by. */
function rowsOf(name: FairnessMetric, { rows, classes }: PartFacts): number {
  const [positives = rows] = classes;
  if (name.startsWith('equal_opportunity') || name.startsWith('recall')) return positives;
  return name.startsWith('equalized_odds') ? Math.min(positives, rows - positives) : rows;
}
