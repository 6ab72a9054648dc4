import { isDeepStrictEqual } from 'node:util';
import type { DataCheck, DataCheckName, DataCheckOptions, DataSource } from './data-schema.ts';
import { policyDefaults } from './defaults.ts';
import type { SourceOfRows } from './engines-schema.ts';
import type { Spot } from './ledger.ts';
import {
  baseElseHead,
  baseWins,
  fields,
  larger,
  largerEnd,
  lesser,
  type Merge,
  oneSided,
  smaller,
  smallerEnd,
  stricterOfChoices,
  trueWins,
  union,
  unionInOrder,
} from './merge.ts';
import { isOutside } from './outside-names.ts';
import { type Pair, pairUp } from './pair-up.ts';
import { sameSource, sourceName } from './source-name.ts';
import type { Where } from './where-schema.ts';

export const severity = stricterOfChoices(['warn', 'error'], policyDefaults.severity);
export const reason: Merge<string> = baseElseHead();
const ofCheck = { severity, reason };

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
    required: base?.order === 'kept' ? unionInOrder(mayBeNamed) : union(mayBeNamed),
    types: mergeTypes(mayBeNamed),
    extra: stricterOfChoices(['allow', 'forbid'], policyDefaults.extra),
    order: stricterOfChoices(['any', 'kept'], policyDefaults.order),
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

/** More forbidden values are stricter. */
const forbiddenValues: Merge<Values> = (base, head, at) => union<Values[number]>(() => true)(base, head, at);

/** What says which thing a check is about. Two checks are only matched where these are the same. */
const same = baseWins;
const ofRows = { ...ofCheck, where: same<Where>() };
const ofRowCheck = { ...ofRows, mostly: larger(policyDefaults.mostly) };
const range = { min: larger(), max: smaller() };
const ends = { min: largerEnd, max: smallerEnd };

const checkMerges: { readonly [Name in DataCheckName]: Merge<DataCheckOptions<Name>> } = {
  row_count: fields<DataCheckOptions<'row_count'>>({ ...range, ...ofRows }),
  schema,
  not_null: fields<DataCheckOptions<'not_null'>>({ columns: sameColumns(), ...ofRowCheck }),
  between: fields<DataCheckOptions<'between'>>({ column: same(), ...ends, ...ofRowCheck }),
  accepted_values: fields<DataCheckOptions<'accepted_values'>>({
    column: same(),
    values: acceptedValues,
    ...ofRowCheck,
  }),
  not_accepted_values: fields<DataCheckOptions<'not_accepted_values'>>({
    column: same(),
    values: forbiddenValues,
    ...ofRowCheck,
  }),
  regex: fields<DataCheckOptions<'regex'>>({ column: same(), pattern: same(), ...ofRowCheck }),
  length: fields<DataCheckOptions<'length'>>({ column: same(), ...range, ...ofRowCheck }),
  unique: fields<DataCheckOptions<'unique'>>({ columns: sameColumns(), ...ofRowCheck }),
  duplicate_rows: fields<DataCheckOptions<'duplicate_rows'>>({ max_share: smaller(), ...ofRows }),
  mean: statistic(),
  std: statistic(),
  sum: statistic(),
  min: fields<DataCheckOptions<'min'>>({ column: same(), ...ends, ...ofRows }),
  max: fields<DataCheckOptions<'max'>>({ column: same(), ...ends, ...ofRows }),
  quantile: fields<DataCheckOptions<'quantile'>>({ column: same(), share: same(), ...range, ...ofRows }),
  distinct_count: statistic(),
  distinct_share: statistic(),
  class_share: statistic(),
  correlation: fields<DataCheckOptions<'correlation'>>({ columns: sameColumns(), ...range, ...ofRows }),
  monotonic: fields<DataCheckOptions<'monotonic'>>({
    column: same(),
    direction: same(),
    strict: trueWins(policyDefaults.strict),
    ...ofRowCheck,
  }),
  freshness: fields<DataCheckOptions<'freshness'>>({ column: same(), max_age: lesser(hoursOf), ...ofRows }),
  relationships: fields<DataCheckOptions<'relationships'>>({
    columns: sameColumns(),
    to: same(),
    fields: sameColumns(),
    ...ofRowCheck,
  }),
  new_categories: fields<DataCheckOptions<'new_categories'>>({
    column: same(),
    reference: same(),
    field: sameColumns(),
    ...ofRowCheck,
  }),
  train_test_overlap: fields<DataCheckOptions<'train_test_overlap'>>({
    reference: same(),
    columns: sameColumns(),
    max_share: smaller(),
    ...ofRows,
  }),
  label_conflicts: fields<DataCheckOptions<'label_conflicts'>>({
    label: same(),
    features: sameColumns(),
    max_share: smaller(),
    ...ofRows,
  }),
  // Fewer ignored columns would be stricter, but what is judged beside a column decides how sure of it one has to be: the base's stand.
  skew: fields<DataCheckOptions<'skew'>>({
    reference: same(),
    columns: sameColumns(),
    ignore: same(),
    measure: same(policyDefaults.skew.measure),
    max: smaller(),
    ...ofRows,
  }),
  sql: fields<DataCheckOptions<'sql'>>({
    name: same(),
    select: same(),
    tables: same(),
    severity,
    reason,
    mostly: larger(policyDefaults.mostly),
  }),
};

function statistic() {
  return fields<DataCheckOptions<'mean'>>({ column: same(), ...range, ...ofRows });
}

/** Hours of `36h` or `7d`. */
function hoursOf(age: string): number {
  return Number.parseFloat(age) * (age.endsWith('d') ? 24 : 1);
}

/** Checks are matched by their columns in any order, so another order is no difference. */
function sameColumns<Value>(): Merge<Value> {
  return (base) => base;
}

/** Sources by file; of one file the checks by name and columns. What the head leaves out stays, what it adds is added. */
export const mergeData: Merge<DataSource[]> = (base, head, at) => {
  if (head === undefined || (base === undefined && !head.some(waitsInPart))) return oneSided(base, head, at);
  const pairs = pairUp(base ?? [], head, ({ source }) => sameSource(source));
  const tables = new Set((base ?? []).flatMap(rowsReadOf));
  const merged: DataSource[] = [];
  for (const [index, pair] of pairs.entries()) {
    const known = (pair.base ?? pair.head)?.value;
    // The job's credentials would read it, and rows that fail are shown to whoever reads the report.
    const waits =
      pair.base === undefined &&
      known !== undefined &&
      (isOutside(known.source) || known.checks.every((check) => waitsForMerge(check, tables)));
    const spot = at.entry({
      suffix: `[${known === undefined ? '' : sourceName(known.source)}]`,
      // What waits is no entry of the effective list, so its number there is past the end.
      effective: waits ? pairs.length + index : merged.length,
      base: pair.base?.index,
      head: pair.head?.index,
    });
    if (waits) spot.differs(undefined, known, 'base');
    else merged.push(mergeSource(pair, tables, spot));
  }
  return merged.length === 0 ? undefined : merged;
};

/** What a source reads with the job's credentials, its checks' included. */
function rowsReadOf({ source, checks }: DataSource): readonly string[] {
  const others = checks.map((check) => optionsOf(check).to ?? optionsOf(check).reference);
  return [source, ...others].flatMap((rows) => (rows === undefined || !isOutside(rows) ? [] : [sameSource(rows)]));
}

/** A check that only the head has, of SQL or of a table or an object that the base does not read. */
function waitsForMerge(check: DataCheck, read: ReadonlySet<string>): boolean {
  const other = optionsOf(check).to ?? optionsOf(check).reference;
  return check.sql !== undefined || (other !== undefined && isOutside(other) && !read.has(sameSource(other)));
}

function optionsOf(check: DataCheck): About {
  return check[nameOf(check)] ?? {};
}

function otherOf({ to, reference }: About): string | undefined {
  const other = to ?? reference;
  return other === undefined ? undefined : sameSource(other);
}

function waitsInPart(source: DataSource): boolean {
  return isOutside(source.source) || source.checks.some((check) => waitsForMerge(check, new Set()));
}

/** A pair, and what is left of a check that only the head has; `null`: nothing. */
interface CheckPair extends Pair<DataCheck> {
  readonly keep?: DataCheck | null;
}

function mergeSource({ base, head }: Pair<DataSource>, tables: ReadonlySet<string>, at: Spot): DataSource {
  const one = (base ?? head)?.value;
  if (one === undefined) throw new RangeError('a pair of nothing');
  if (base === undefined || head === undefined) {
    oneSided(base?.value, head?.value, at);
    return base === undefined ? withoutWaitingChecks(one, tables, at) : one;
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
    else if (pair.keep === null || (pair.base === undefined && waitsForMerge(known, tables)))
      spot.differs(undefined, pair.head?.value, 'base');
    else {
      oneSided(pair.base?.value, pair.head?.value, spot);
      checks.push(kept);
    }
  }
  const sensitive = union<string>(() => true)(base.value.sensitive, head.value.sensitive, at.field('sensitive'));
  // What a report shows is for the base to say.
  const profile = baseElseHead<boolean>()(base.value.profile, head.value.profile, at.field('profile'));
  return {
    source: base.value.source,
    ...(sensitive === undefined ? {} : { sensitive }),
    ...(profile === undefined ? {} : { profile }),
    checks,
  };
}

/** What of a source that only a pull request has does not wait: SQL does, until someone has read it, and so do rows from outside. */
function withoutWaitingChecks(source: DataSource, tables: ReadonlySet<string>, at: Spot): DataSource {
  const checks: DataCheck[] = [];
  for (const [head, check] of source.checks.entries()) {
    const waits = waitsForMerge(check, tables);
    const effective = waits ? source.checks.length + head : checks.length;
    const spot = at.field('checks', '').entry({ suffix: suffixOf(check), effective, head });
    if (waits) spot.differs(undefined, check, 'base');
    else checks.push(check);
  }
  return { ...source, checks };
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

/** Two checks with the same identity demand the same kind of thing of the same columns and rows. */
function identityOf(check: DataCheck): string {
  const name = nameOf(check);
  const options = optionsOf(check);
  return JSON.stringify([
    name,
    aboutColumns(name, options),
    options.pattern,
    options.share,
    options.direction,
    name === 'skew' ? (options.measure ?? policyDefaults.skew.measure) : undefined,
    options.label,
    otherOf(options),
    options.name,
    // Numbers and dates cannot be held against each other.
    typeof (options.min ?? options.max) === 'string',
    Object.entries(options.where ?? {}).sort(([one], [other]) => (one < other ? -1 : 1)),
  ]);
}

/** What any kind of check may say of what it is about. */
interface About {
  readonly severity?: string | undefined;
  readonly column?: string | undefined;
  readonly columns?: 'all' | readonly string[] | undefined;
  readonly features?: readonly string[] | undefined;
  readonly field?: string | undefined;
  readonly fields?: readonly string[] | undefined;
  readonly pattern?: string | undefined;
  readonly share?: number | undefined;
  readonly direction?: string | undefined;
  readonly measure?: string | undefined;
  readonly label?: string | undefined;
  readonly to?: SourceOfRows | undefined;
  readonly reference?: SourceOfRows | undefined;
  readonly name?: string | undefined;
  readonly min?: number | string | undefined;
  readonly max?: number | string | undefined;
  readonly where?: object | undefined;
}

function aboutColumns(name: DataCheckName, options: About): unknown {
  const { column, columns, features, field, fields } = options;
  if (name === 'relationships' && Array.isArray(columns))
    return columns.map((own, index) => [own, fields?.[index] ?? own]).sort();
  if (column !== undefined) return field === undefined || field === column ? [column] : [column, field];
  const named = features ?? columns ?? (name === 'skew' ? 'all' : undefined);
  return named === undefined || named === 'all' ? named : [...named].sort();
}

/** A check may stand twice, as a warning and as an error: the two are not to be mixed. */
function sameSeverity(one: DataCheck, other: DataCheck): boolean {
  const severityOf = (check: DataCheck) => check[nameOf(check)]?.severity ?? policyDefaults.severity;
  return severityOf(one) === severityOf(other);
}

/** How a difference's key names a check: `.between[age]`. */
function suffixOf(check: DataCheck): string {
  const name = nameOf(check);
  const options = optionsOf(check);
  const told = options.name ?? options.label ?? options.columns ?? options.column;
  if (told === undefined) return `.${name}`;
  return `.${name}[${typeof told === 'string' ? told : told.join(', ')}]`;
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
  return (
    isDeepStrictEqual(demand.where, other.where) &&
    mostlyOf(demand) >= mostlyOf(other) &&
    (!warns(demand) || warns(other))
  );
}
