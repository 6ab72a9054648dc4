import { isDeepStrictEqual } from 'node:util';
import type { DataCheck, DataCheckName, DataCheckOptions, DataSource } from './data-schema.ts';
import { policyDefaults } from './defaults.ts';
import type { Spot } from './ledger.ts';
import {
  baseElseHead,
  baseWins,
  fields,
  larger,
  type Merge,
  oneSided,
  smaller,
  stricterOfChoices,
  union,
} from './merge.ts';
import { type Pair, pairUp } from './pair-up.ts';
import { sameSource, sourceName } from './source-name.ts';

export const severity = stricterOfChoices(['warn', 'error'], policyDefaults.severity);
export const reason: Merge<string> = baseElseHead();
const ofCheck = { severity, reason };
const ofRowCheck = { ...ofCheck, mostly: larger(policyDefaults.mostly) };

type SchemaOptions = DataCheckOptions<'schema'>;
type Types = NonNullable<SchemaOptions['types']>;

/**
 * Where the base forbids extra columns, naming a column allows it. So a column that only the head names is left out until the
 * merge; elsewhere it is one more demand.
 */
const schema: Merge<SchemaOptions> = (base, head, at) => {
  const named = new Set([...(base?.required ?? []), ...Object.keys(base?.types ?? {})]);
  const mayBeNamed = (name: string) => base?.extra !== 'forbid' || named.has(name);
  return fields<SchemaOptions>({
    required: union(mayBeNamed),
    types: mergeTypes(mayBeNamed),
    extra: stricterOfChoices(['allow', 'forbid'], policyDefaults.extra),
    ...ofCheck,
  })(base, head, at);
};

function mergeTypes(mayBeNamed: (name: string) => boolean): Merge<Types> {
  const merge: Merge<Types[string]> = baseElseHead();
  return (base, head, at) => {
    const types: Types = {};
    for (const name of new Set([...Object.keys(base ?? {}), ...Object.keys(head ?? {})])) {
      if (!mayBeNamed(name)) at.field(name).differs(undefined, head?.[name], 'base');
      else {
        const type = merge(base?.[name], head?.[name], at.field(name));
        if (type !== undefined) types[name] = type;
      }
    }
    return Object.keys(types).length === 0 ? undefined : types;
  };
}

type Values = DataCheckOptions<'accepted_values'>['values'];
/** Fewer accepted values are stricter; a list that also accepts new ones waits for the merge. */
const acceptedValues: Merge<Values> = (base, head, at) => {
  const accepted = new Set(base);
  const order = (values: Values | undefined) => new Set(values);
  if (base !== undefined && head !== undefined && isDeepStrictEqual(accepted, order(head))) return base;
  const narrower = head?.every((value) => accepted.has(value)) ?? false;
  at.differs(base, head, narrower ? 'head' : 'base');
  return narrower ? head : base;
};

const checkMerges: { readonly [Name in DataCheckName]: Merge<DataCheckOptions<Name>> } = {
  row_count: fields<DataCheckOptions<'row_count'>>({ min: larger(), max: smaller(), ...ofCheck }),
  schema,
  not_null: fields<DataCheckOptions<'not_null'>>({ columns: sameColumns(), ...ofRowCheck }),
  between: fields<DataCheckOptions<'between'>>({ column: baseWins(), min: larger(), max: smaller(), ...ofRowCheck }),
  accepted_values: fields<DataCheckOptions<'accepted_values'>>({
    column: baseWins(),
    values: acceptedValues,
    ...ofRowCheck,
  }),
  unique: fields<DataCheckOptions<'unique'>>({ columns: sameColumns(), ...ofRowCheck }),
  class_share: fields<DataCheckOptions<'class_share'>>({
    column: baseWins(),
    min: larger(),
    max: smaller(),
    ...ofCheck,
  }),
  duplicate_rows: fields<DataCheckOptions<'duplicate_rows'>>({ max_share: smaller(), ...ofCheck }),
  regex: fields<DataCheckOptions<'regex'>>({ column: baseWins(), pattern: baseWins(), ...ofRowCheck }),
};

/** Checks are matched by their columns in any order, so another order is no difference. */
function sameColumns<Value>(): Merge<Value> {
  return (base) => base;
}

/** Sources by file; of one file the checks by name and columns. What the head leaves out stays, what it adds is added. */
export const mergeData: Merge<DataSource[]> = (base, head, at) => {
  if (head === undefined || (base === undefined && !head.some(isTable))) return oneSided(base, head, at);
  const pairs = pairUp(base ?? [], head, ({ source }) => sameSource(source));
  const merged: DataSource[] = [];
  for (const [index, pair] of pairs.entries()) {
    const known = (pair.base ?? pair.head)?.value;
    const waits = pair.base === undefined && known !== undefined && isTable(known);
    const spot = at.entry({
      suffix: `[${known === undefined ? '' : sourceName(known.source)}]`,
      // What waits is no entry of the effective list, so its number there is past the end.
      effective: waits ? pairs.length + index : merged.length,
      base: pair.base?.index,
      head: pair.head?.index,
    });
    if (waits) spot.differs(undefined, known, 'base');
    else merged.push(mergeSource(pair, spot));
  }
  return merged.length === 0 ? undefined : merged;
};

/**
 * A table that only the head names waits for the merge: the job's credentials read it, and rows that fail are shown to whoever reads the
 * report. A file of the checkout is the author's own.
 */
function isTable({ source }: DataSource): boolean {
  return typeof source !== 'string';
}

/** A pair, and what is left of a check that only the head has; `null`: nothing. */
interface CheckPair extends Pair<DataCheck> {
  readonly keep?: DataCheck | null;
}

function mergeSource({ base, head }: Pair<DataSource>, at: Spot): DataSource {
  const one = (base ?? head)?.value;
  if (one === undefined) throw new RangeError('a pair of nothing');
  if (base === undefined || head === undefined) {
    oneSided(base?.value, head?.value, at);
    return one;
  }
  const pairs = withoutCovered(pairUp(base.value.checks, head.value.checks, identityOf, sameSeverity));
  const checksAt = at.field('checks', '');
  const checks: DataCheck[] = [];
  for (const pair of pairs) {
    const known = (pair.base ?? pair.head)?.value;
    if (known === undefined) continue;
    const kept = pair.keep ?? known;
    const spot = checksAt.entry({
      suffix: suffixOf(known),
      effective: checks.length,
      base: pair.base?.index,
      head: pair.head?.index,
    });
    if (pair.base !== undefined && pair.head !== undefined)
      checks.push(mergeCheck(pair.base.value, pair.head.value, spot));
    else if (pair.keep === null) spot.differs(undefined, pair.head?.value, 'base');
    else {
      oneSided(pair.base?.value, pair.head?.value, spot);
      checks.push(kept);
    }
  }
  return { source: base.value.source, checks };
}

function mergeCheck(base: DataCheck, head: DataCheck, at: Spot): DataCheck {
  const name = nameOf(base);
  return { [name]: mergeOptions(name, base, head, at.field(name, '')) };
}

function mergeOptions<Name extends DataCheckName>(name: Name, base: DataCheck, head: DataCheck, at: Spot) {
  const merge: Merge<DataCheckOptions<Name>> = checkMerges[name];
  return merge(base[name] as DataCheckOptions<Name>, head[name] as DataCheckOptions<Name>, at);
}

/** The name of a list entry's one check. */
function nameOf(check: DataCheck): DataCheckName {
  const [name] = Object.keys(check);
  if (name === undefined || !Object.hasOwn(checkMerges, name)) throw new RangeError('an entry without a check');
  return name as DataCheckName;
}

/** Two checks with the same identity demand the same kind of thing of the same columns. */
function identityOf(check: DataCheck): string {
  const { between, accepted_values, class_share, regex, not_null, unique } = check;
  const columns = not_null?.columns ??
    unique?.columns ?? [(between ?? accepted_values ?? class_share ?? regex)?.column];
  return JSON.stringify([nameOf(check), columns === 'all' ? columns : [...columns].sort(), regex?.pattern]);
}

/** A check may stand twice, as a warning and as an error: the two are not to be mixed. */
function sameSeverity(one: DataCheck, other: DataCheck): boolean {
  const severityOf = (check: DataCheck) => check[nameOf(check)]?.severity ?? policyDefaults.severity;
  return severityOf(one) === severityOf(other);
}

/** How a difference's key names a check: `.between[age]`. */
function suffixOf(check: DataCheck): string {
  const { between, accepted_values, class_share, regex, not_null, unique } = check;
  const columns = not_null?.columns ?? unique?.columns ?? (between ?? accepted_values ?? class_share ?? regex)?.column;
  if (columns === undefined) return `.${nameOf(check)}`;
  return `.${nameOf(check)}[${typeof columns === 'string' ? columns : columns.join(', ')}]`;
}

/** A head's `not_null` on columns of which the base demands as much: only the other columns are left, so none is judged twice. */
function withoutCovered(pairs: readonly Pair<DataCheck>[]): readonly CheckPair[] {
  const demands = pairs.flatMap(({ base }) => (base?.value.not_null === undefined ? [] : [base.value.not_null]));
  return pairs.map((pair) => {
    const added = pair.base === undefined ? pair.head?.value.not_null : undefined;
    if (added === undefined) return pair;
    const covering = demands.filter((demand) => atLeast(demand, added));
    if (added.columns === 'all')
      return covering.some(({ columns }) => columns === 'all') ? { ...pair, keep: null } : pair;
    const columns = added.columns.filter(
      (column) => !covering.some((demand) => demand.columns === 'all' || demand.columns.includes(column)),
    );
    if (columns.length === added.columns.length) return pair;
    return { ...pair, keep: columns.length === 0 ? null : { not_null: { ...added, columns } } };
  });
}

function atLeast(demand: DataCheckOptions<'not_null'>, other: DataCheckOptions<'not_null'>): boolean {
  const mostlyOf = (options: DataCheckOptions<'not_null'>) => options.mostly ?? policyDefaults.mostly;
  const warns = (options: DataCheckOptions<'not_null'>) => (options.severity ?? policyDefaults.severity) === 'warn';
  return mostlyOf(demand) >= mostlyOf(other) && (!warns(demand) || warns(other));
}
