import { policyDefaults } from './defaults.ts';
import { type DriftBound, type DriftMeasure, type DriftPolicy, driftBoundsOf, driftMeasures } from './drift-schema.ts';
import { baseElseHead, baseWins, fields, type Merge, moreColumns, oneSided, smaller } from './merge.ts';
import { reason } from './stricter-data.ts';

const { drift: defaults } = policyDefaults;
const bound = fields<DriftBound>({ warn: smaller(), fail: smaller(), columns: moreColumns, reason });

const keys = fields<DriftPolicy>({
  reference: baseElseHead(),
  current: baseElseHead(),
  columns: moreColumns,
  ignore: baseWins(),
  prediction: baseElseHead(),
  target: baseElseHead(),
  bins: baseWins(defaults.bins),
  min_rows: smaller(defaults.min_rows),
  ...(Object.fromEntries(driftMeasures.map((measure) => [measure, bound])) as Record<DriftMeasure, Merge<DriftBound>>),
  drifted_columns: fields<NonNullable<DriftPolicy['drifted_columns']>>({ warn: smaller(), fail: smaller(), reason }),
});

/** The stricter of two drift checks. A policy without a measure demands the usual PSI, and naming another one must not take that away. */
export const mergeDrift: Merge<DriftPolicy> = (base, head, at) =>
  base === undefined || head === undefined ? oneSided(base, head, at) : keys(withBounds(base), withBounds(head), at);

function withBounds(drift: DriftPolicy): DriftPolicy {
  return { ...drift, ...Object.fromEntries(driftBoundsOf(drift)) };
}
