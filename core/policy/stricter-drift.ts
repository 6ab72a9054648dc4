import { policyDefaults } from './defaults.ts';
import {
  type DriftBound,
  type DriftMeasure,
  type DriftPolicy,
  type DriftSide,
  driftBoundsOf,
  driftMeasures,
} from './drift-schema.ts';
import {
  baseElseHead,
  baseWins,
  fields,
  type Merge,
  moreColumns,
  oneSided,
  outsideFromBase,
  smaller,
  withoutWaiting,
} from './merge.ts';
import { isOutside } from './outside-names.ts';
import { reason } from './stricter-data.ts';

const { drift: defaults } = policyDefaults;
const bound = fields<DriftBound>({ warn: smaller(), fail: smaller(), columns: moreColumns, reason });

const leadsOut = (rows: DriftSide) => isOutside(typeof rows === 'string' ? rows : rows.source);
const side = outsideFromBase(leadsOut, baseElseHead<DriftSide>());

const keys = fields<DriftPolicy>({
  reference: side,
  current: side,
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
export const mergeDrift: Merge<DriftPolicy> = (base, head, at) => {
  if (head === undefined) return oneSided(base, head, at);
  if (base !== undefined) return keys(withBounds(base), withBounds(head), at);
  const waiting = (['reference', 'current'] as const).filter((key) => head[key] !== undefined && leadsOut(head[key]));
  return withoutWaiting(head, waiting, at);
};

function withBounds(drift: DriftPolicy): DriftPolicy {
  return { ...drift, ...Object.fromEntries(driftBoundsOf(drift)) };
}
