import { excerpt } from '../../core/text/index.ts';
import { type ColumnFacts, isNumeric, type TableFacts } from './column-facts.ts';
import { ceilTo, floorTo, roomyBounds } from './roomy-bounds.ts';
import type { TextForm } from './text-forms.ts';
import { yamlScalar } from './yaml-scalar.ts';

/** What the data checks are drawn up from. */
export interface DataDraft {
  readonly path: string;
  readonly facts: TableFacts;
  readonly target?: string;
  /** Whether the target is a class, so that its values are few whatever their type. */
  readonly isClassification: boolean;
  /** The share of today's rows that must be left. */
  readonly rowsKept: number;
  /** Forms of texts, by column. */
  readonly forms?: ReadonlyMap<string, TextForm>;
}

/** Fewer values than this may all be missing from another file, and then there is nothing to judge, nor a type. */
const enoughValues = 30;

/** A policy bounding each of thousands of columns by itself is nobody's to read, and there is a limit to its checks. */
const boundedColumns = 200;

/** The policy's `data`, as lines. */
export function renderDataDraft(draft: DataDraft): readonly string[] {
  const { path, facts, target, isClassification, rowsKept, forms = new Map<string, TextForm>() } = draft;
  const { table, columns: all } = facts;
  const known = all.filter(({ column }, index) => index < boundedColumns || column.name === target);
  const columns = known.filter(({ nulls }) => nulls === 0 || table.rows - nulls >= enoughValues);
  const identifiers = columns.filter((column) => column.column.name !== target && isIdentifier(column, table.rows));
  const categories = columns.filter((column) =>
    isCategory(column, table.rows, isClassification && column.column.name === target),
  );
  const quantities = columns.filter((column) => !identifiers.includes(column) && !categories.includes(column));
  const checks = [
    `# ${table.rows} rows today; fails when ${rowsKept === 0.9 ? 'a tenth of them is' : `more than ${Math.round((1 - rowsKept) * 100)} % of them are`} lost.`,
    `- row_count: { min: ${Math.ceil(table.rows * rowsKept)} }`,
    ...schemaCheck(facts),
    ...nullChecks(all, columns, table.rows),
    ...(known.length < all.length
      ? [`# Only the first ${boundedColumns} of ${all.length} columns have bounds of their own: add those that matter.`]
      : []),
    ...uniqueChecks(identifiers),
    ...rangeChecks(quantities),
    ...categories.flatMap((column) =>
      valueChecks(column, table.rows, isClassification && column.column.name === target),
    ),
    ...formChecks(quantities, forms),
    ...duplicateCheck(facts.duplicateShare),
  ];
  return ['data:', `  - source: ${yamlScalar(path)}`, '    checks:', ...checks.map((line) => `      ${line}`), ''];
}

function schemaCheck({ table, columns }: TableFacts): readonly string[] {
  // The types of text files are read off their values: of few, or of times that may all be midnight, they can be others tomorrow.
  const isSettled = ({ column, nulls }: ColumnFacts) =>
    table.format === 'parquet' || (column.type !== 'timestamp' && table.rows - nulls >= enoughValues);
  const typed = columns.filter((facts) => facts.column.type !== 'other' && isSettled(facts));
  const untyped = columns.filter((facts) => !typed.includes(facts));
  return [
    '# A column that goes missing or changes its type breaks the model. extra: forbid would refuse new ones too.',
    '- schema:',
    ...(untyped.length > 0 ? [`    required: ${list(untyped)}`] : []),
    ...(typed.length > 0 ? ['    types:'] : []),
    ...typed.map(({ column }) => `      ${yamlScalar(column.name)}: ${column.type}`),
  ];
}

function nullChecks(all: readonly ColumnFacts[], bounded: readonly ColumnFacts[], rows: number): readonly string[] {
  const complete = all.filter(({ nulls }) => nulls === 0);
  if (complete.length === all.length) return ['# No value is missing today.', '- not_null: { columns: all }'];
  return [
    ...(complete.length > 0
      ? ['# In these no value is missing today.', `- not_null: { columns: ${list(complete)} }`]
      : []),
    ...bounded
      .filter(({ nulls }) => nulls > 0)
      .flatMap(({ column, nulls }) => {
        const share = (rows - nulls) / rows;
        // A little room below what it is today, so that one more missing value does not fail.
        const chance = 6 * Math.sqrt((share * (1 - share)) / rows);
        const mostly = Math.max(0, floorTo(share - Math.max(chance, Math.min(0.02, share / 10)), 0.001));
        return [
          `# ${nulls} of ${rows} are missing today.`,
          `- not_null: { columns: [${yamlScalar(column.name)}], mostly: ${mostly} }`,
        ];
      }),
  ];
}

function uniqueChecks(identifiers: readonly ColumnFacts[]): readonly string[] {
  return identifiers.flatMap(({ column }) => [
    '# An identifier: no two rows have the same.',
    `- unique: { columns: [${yamlScalar(column.name)}] }`,
  ]);
}

function rangeChecks(quantities: readonly ColumnFacts[]): readonly string[] {
  const checks = quantities.flatMap(({ column, range }) => {
    if (range === undefined) return [];
    const { min, max } = roomyBounds(range.min, range.max);
    return [`- between: { column: ${yamlScalar(column.name)}, min: ${min}, max: ${max} }`];
  });
  if (checks.length === 0) return [];
  return [
    "# Today's ranges with a tenth as room on both sides. Where nature sets a limit (age 0 to 150), write that.",
    ...checks,
  ];
}

function valueChecks({ column, values = [] }: ColumnFacts, rows: number, isTarget: boolean): readonly string[] {
  const seen = values.map(({ value }) => yamlScalar(value)).join(', ');
  const rarest = values.at(-1);
  const share = rarest?.share ?? 0;
  // Half of it, and further from it than chance takes a half of the rows.
  const least = floorTo(Math.min(share / 2, share - 6 * Math.sqrt((share * (1 - share)) / rows)), 0.001);
  return [
    values.length === 1
      ? '# The only value seen; any other fails.'
      : `# The ${values.length} values seen; any other fails.`,
    `- accepted_values: { column: ${yamlScalar(column.name)}, values: [${seen}] }`,
    ...(isTarget && rarest !== undefined && least > 0
      ? [
          `# The rarest class, ${excerpt(String(rarest.value), 40)}, has ${percent(rarest.share)} of the rows; fails when it is much rarer.`,
          `- class_share: { column: ${yamlScalar(column.name)}, min: ${least} }`,
        ]
      : []),
  ];
}

function formChecks(columns: readonly ColumnFacts[], forms: ReadonlyMap<string, TextForm>): readonly string[] {
  return columns.flatMap(({ column }) => {
    const form = forms.get(column.name);
    if (form === undefined) return [];
    return [
      `# All ${form.name} today.`,
      `- regex: { column: ${yamlScalar(column.name)}, pattern: ${yamlScalar(form.pattern)} }`,
    ];
  });
}

function duplicateCheck(share: number): readonly string[] {
  const most = ceilTo(share * 2 + 0.01, 0.01);
  // A bound of all rows is none.
  if (most >= 1)
    return [`# ${percent(share)} of the rows repeat another today: too many for duplicate_rows to say anything.`];
  return [`# ${percent(share)} of the rows repeat another today.`, `- duplicate_rows: { max_share: ${most} }`];
}

/** Whole numbers or texts, all different, in a column that is called so. */
export function isIdentifier({ column, distinct, nulls }: ColumnFacts, rows: number): boolean {
  // `customerId` ends in a word of its own too.
  const words = column.name.replace(/([a-z])(I[dD])$/, '$1_$2');
  const isCalledSo = /(?:^|[^a-z])(?:id|uuid|guid|key)$/i.test(words);
  const isCountable = column.type === 'integer' || column.type === 'string';
  return isCalledSo && isCountable && rows > 1 && nulls === 0 && distinct === rows;
}

/** Few values that come again and again: a number of them is a code, not a quantity. */
function isCategory({ column, values, distinct }: ColumnFacts, rows: number, isClass: boolean): boolean {
  if (values === undefined) return false;
  if (isClass) return true;
  return distinct <= (isNumeric(column) ? 5 : Number.POSITIVE_INFINITY) && distinct * 10 <= rows;
}

function list(columns: readonly ColumnFacts[]): string {
  return `[${columns.map(({ column }) => yamlScalar(column.name)).join(', ')}]`;
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(1))} %`;
}
