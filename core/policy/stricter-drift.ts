import { isDeepStrictEqual } from 'node:util';
import { policyDefaults } from './defaults.ts';
import { type DriftBound, type DriftMeasure, type DriftPolicy, driftBoundsOf, driftMeasures } from './drift-schema.ts';
import { baseElseHead, baseWins, fields, type Merge, oneSided, smaller } from './merge.ts';
import { reason } from './stricter-data.ts';

const { drift: defaults } = policyDefaults;
type Columns = NonNullable<DriftPolicy['columns']>;

/** More columns are stricter. */
const columns: Merge<Columns> = (base, head, at) => {
  const [one, other]: readonly [Columns, Columns] = [base ?? 'all', head ?? 'all'];
  if (isDeepStrictEqual(one, other)) return base;
  if (one === 'all') {
    at.differs(base, head, 'base');
    return base;
  }
  if (other === 'all') {
    at.differs(base, head, 'head');
    return head;
  }
  const added = other.filter((column) => !one.includes(column));
  const wider = one.every((column) => other.includes(column));
  at.differs(base, head, added.length === 0 ? 'base' : wider ? 'head' : 'both');
  return [...one, ...added];
};

const bound = fields<DriftBound>({ warn: smaller(), fail: smaller(), columns, reason });

const keys = fields<DriftPolicy>({
  reference: baseElseHead(),
  current: baseElseHead(),
  columns,
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
