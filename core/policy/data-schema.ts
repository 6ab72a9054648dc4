import * as z from 'zod';
import { policyDefaults } from './defaults.ts';
import { driftMeasures } from './drift-schema.ts';
import { sourceSchema } from './engines-schema.ts';
import { column, columnList, mostly, named, oneOf, path, reason, severity, share } from './schema-words.ts';
import { where } from './where-schema.ts';

/** What every data check may carry beside its own keys. */
const ofCheck = { severity: severity.optional(), reason: reason.optional() };
/** What a check of some rows may carry. */
const ofRows = { ...ofCheck, where: where.optional() };
/** What a check of single rows may carry. */
const ofRowCheck = { ...ofRows, mostly: mostly.optional() };
const columns = z
  .union([z.literal('all'), columnList], { error: '"all" or a list of column names' })
  .meta({ id: 'columns', description: 'all, or a list of columns; each is judged by itself.' });
const values = z
  .array(z.union([z.string(), z.number(), z.boolean()], { error: 'text, a number, true or false' }))
  .min(1);
const maxShare = (what: string) => share.describe(`The largest share of rows ${what}.`);

const endWords = 'a number, or a date such as "2026-08-01" or "2026-08-01 12:30:00"';
const end = z.union(
  [z.number(), z.string().regex(/^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2})?)?$/, { error: endWords })],
  { error: endWords },
);
const ageWords = 'a time such as "36h" or "7d"';

/** A check that one number of a column's values lies in a range. */
const statistic = (description: string) =>
  z
    .strictObject({
      column,
      min: z.number().optional().describe('At least this.'),
      max: z.number().optional().describe('At most this.'),
      ...ofRows,
    })
    .meta({ description: `${description} Empty values are left out.`, ...oneOf('min', 'max') });
/** The same of the least or the largest value, which may be dates. */
const extreme = (description: string) =>
  z
    .strictObject({
      column,
      min: end.optional().describe('At least this.'),
      max: end.optional().describe('At most this.'),
      ...ofRows,
    })
    .meta({ description: `${description} Empty values are left out.`, ...oneOf('min', 'max') });

export const dataChecks = {
  row_count: z
    .strictObject({
      min: z.int().min(0).optional().describe('At least this many rows.'),
      max: z.int().min(0).optional().describe('At most this many rows.'),
      ...ofRows,
    })
    .meta({ description: 'How many rows the file has.', ...oneOf('min', 'max') }),
  schema: z
    .strictObject({
      required: columnList.optional().describe('Columns that must be there, in any order unless order says otherwise.'),
      types: named(z.enum(['integer', 'number', 'string', 'boolean', 'date', 'timestamp']))
        .optional()
        .describe('Columns that must be there and be of this type; number holds integers too.'),
      extra: z.enum(['allow', 'forbid']).optional().meta({
        description: 'Whether columns not named by required or types may be there.',
        default: policyDefaults.extra,
      }),
      order: z.enum(['any', 'kept']).optional().meta({
        description: 'kept: the columns of required stand in this order, whatever stands between them.',
        default: policyDefaults.order,
      }),
      ...ofCheck,
    })
    .meta({ description: 'Which columns the file has, and of which types.', ...oneOf('required', 'types') }),
  not_null: z
    .strictObject({ columns, ...ofRowCheck })
    .meta({ description: 'No empty values (NULL, NaN in a number column).' }),
  between: z
    .strictObject({
      column,
      min: end
        .optional()
        .describe('The smallest value allowed; of dates "2026-08-01", which means its midnight in UTC.'),
      max: end.optional().describe('The largest value allowed.'),
      ...ofRowCheck,
    })
    .meta({
      description: 'Values inside a range, both ends allowed. Empty values are not judged.',
      ...oneOf('min', 'max'),
    }),
  accepted_values: z
    .strictObject({ column, values: values.describe('Every value the column may hold.'), ...ofRowCheck })
    .meta({ description: 'Values out of a fixed list. Empty values are not judged.' }),
  not_accepted_values: z
    .strictObject({ column, values: values.describe('Values the column may not hold.'), ...ofRowCheck })
    .meta({ description: 'No values out of a list. Empty values are not judged.' }),
  regex: z
    .strictObject({
      column,
      pattern: z.string().min(1).describe('RE2 syntax; the whole value must match.'),
      ...ofRowCheck,
    })
    .meta({ description: 'Text that follows a pattern. Empty values are not judged.' }),
  length: z
    .strictObject({
      column,
      min: z.int().min(0).optional().describe('At least this many characters.'),
      max: z.int().min(0).optional().describe('At most this many characters.'),
      ...ofRowCheck,
    })
    .meta({ description: 'How long texts are, in characters. Empty values are not judged.', ...oneOf('min', 'max') }),
  unique: z
    .strictObject({ columns: columnList.describe('Together they tell any two rows apart.'), ...ofRowCheck })
    .meta({ description: 'No two rows alike in these columns.' }),
  duplicate_rows: z
    .strictObject({ max_share: maxShare('that may repeat an earlier row'), ...ofRows })
    .meta({ description: 'Rows alike in every column.' }),
  mean: statistic('The mean.'),
  std: statistic('The standard deviation (of a sample, n - 1).'),
  sum: statistic('The sum.'),
  min: extreme('The smallest value.'),
  max: extreme('The largest value.'),
  quantile: z
    .strictObject({
      column,
      share: share.describe('Which one: 0.5 is the median.'),
      min: z.number().optional().describe('At least this.'),
      max: z.number().optional().describe('At most this.'),
      ...ofRows,
    })
    .meta({
      description: 'The least value that at least this share of the values does not exceed. Empty values are left out.',
      ...oneOf('min', 'max'),
    }),
  distinct_count: statistic('How many different values there are.'),
  distinct_share: statistic('How many different values there are, as a share of the values: 1 where all differ.'),
  class_share: z
    .strictObject({
      column,
      min: share.optional().describe('The smallest share any class may have.'),
      max: share.optional().describe('The largest share any class may have.'),
      ...ofRows,
    })
    .meta({ description: 'How evenly the classes of a label column are spread.', ...oneOf('min', 'max') }),
  correlation: z
    .strictObject({
      columns: z.tuple([column, column], { error: 'a list of two columns' }).describe('Two columns of numbers.'),
      min: z.number().min(-1).max(1).optional().describe('At least this.'),
      max: z.number().min(-1).max(1).optional().describe('At most this.'),
      ...ofRows,
    })
    .meta({ description: "Pearson's correlation of two columns.", ...oneOf('min', 'max') }),
  monotonic: z
    .strictObject({
      column,
      direction: z.enum(['increasing', 'decreasing']).describe('Where the values go from row to row, in file order.'),
      strict: z.boolean().optional().meta({
        description: 'Whether equal values one after another break it.',
        default: policyDefaults.strict,
      }),
      ...ofRowCheck,
    })
    .meta({ description: 'Values that only go one way. Empty values are passed over.' }),
  freshness: z
    .strictObject({
      column,
      max_age: z
        .string({ error: ageWords })
        .regex(/^\d+(\.\d+)?[hd]$/, { error: ageWords })
        .describe('How long before the end of the day of the run the newest value may be: hours or days.'),
      ...ofRows,
    })
    .meta({ description: 'How old the newest date or time is, on the day of the run (UTC).' }),
  relationships: z
    .strictObject({
      columns: columnList.describe('A key of another table, of one column or several.'),
      to: sourceSchema.describe('The other table: a file, or { table, engine } of the same engine.'),
      fields: columnList.optional().describe('Its columns, in the same order; of the same names when not given.'),
      ...ofRowCheck,
    })
    .meta({ description: 'Every key is there in another table. Rows without a whole key are not judged.' }),
  new_categories: z
    .strictObject({
      column,
      reference: sourceSchema.describe('Where the known values are: a file, or { table, engine } of the same engine.'),
      field: column.optional().describe('Its column; of the same name when not given.'),
      ...ofRowCheck,
    })
    .meta({ description: 'No values that a reference does not have. Empty values are not judged.' }),
  train_test_overlap: z
    .strictObject({
      reference: sourceSchema.describe(
        'The other rows: the training data of a test set, or the other way round. A file, or { table, engine } of the same engine.',
      ),
      columns: columnList
        .optional()
        .describe('What makes two rows the same; every column of this file when not given.'),
      max_share: maxShare('that may be in the other file too'),
      ...ofRows,
    })
    .meta({ description: 'Rows that are in another file too, so that a model was tested on what it learnt.' }),
  label_conflicts: z
    .strictObject({
      label: column.describe('The column with the truth.'),
      features: columnList.optional().describe('What the model sees; every other column when not given.'),
      max_share: maxShare('that may be alike and labelled differently'),
      ...ofRows,
    })
    .meta({ description: 'Rows with the same features and different labels.' }),
  skew: z
    .strictObject({
      reference: path.describe(
        'The file the rows are held against: the training data of what is served, or the other way round.',
      ),
      columns: z
        .union([z.literal('all'), columnList], { error: '"all" or a list of column names' })
        .optional()
        .meta({
          description: 'Which columns are compared: all of the reference, or a list. Each is judged by itself.',
          default: 'all',
        }),
      ignore: columnList.optional().describe('Columns that are not compared: ids, timestamps.'),
      measure: z.enum(driftMeasures).optional().meta({
        description: 'How far apart the values of a column are, by the measures of "drift".',
        default: policyDefaults.skew.measure,
      }),
      max: z
        .number()
        .min(0)
        .describe('The most a column may be apart, when chance is taken out. Of psi 0.1 is worth watching, 0.2 much.'),
      ...ofRows,
    })
    .meta({
      description:
        'Columns whose values are spread as in another file (train/serve skew), judged with evidence as drift is. Needs 30 rows on both sides.',
    }),
  sql: z
    .strictObject({
      name: z
        .string()
        .regex(/^[A-Za-z][A-Za-z0-9_-]{0,59}$/, { error: 'a letter, then letters, digits, _ and -, at most 60' })
        .describe('What reports call it.'),
      select: z
        .string()
        .min(1)
        .max(10_000)
        .describe(
          'One SELECT in the words of DuckDB that gives the rows that break the check; the file is the table "data".',
        ),
      tables: named(path).optional().describe('Other files the SELECT may read, by the names it calls them.'),
      ...ofCheck,
      mostly: mostly.optional(),
    })
    .meta({
      description: 'Rows that a SELECT of your own finds wrong. Counts only once it is on the base branch.',
    }),
} as const;

export type DataCheckName = keyof typeof dataChecks;
export type DataCheckOptions<Name extends DataCheckName> = z.infer<(typeof dataChecks)[Name]>;

type OptionalChecks = { [Name in DataCheckName]: z.ZodOptional<(typeof dataChecks)[Name]> };
// A list entry is an object with exactly one key, as in dbt: `- not_null: { columns: all }`.
const dataCheck = z
  .strictObject(
    Object.fromEntries(Object.entries(dataChecks).map(([key, check]) => [key, check.optional()])) as OptionalChecks,
  )
  .meta({ id: 'dataCheck', description: 'One check: a mapping with one key.', minProperties: 1, maxProperties: 1 });

/** The policy's key `data`. */
export const dataSchema = z
  .array(
    z
      .strictObject({
        source: sourceSchema,
        sensitive: columnList
          .optional()
          .describe('Columns whose values no report shows: names, addresses. Rows are named by their number alone.'),
        profile: z
          .boolean()
          .optional()
          .describe(
            'Shows in the report what each column holds: counts, ranges, small histograms. Reads the data twice more.',
          ),
        checks: z.array(dataCheck).min(1).describe('One list entry a check.'),
      })
      .describe('A file or a table, and what is demanded of it.'),
  )
  .min(1)
  .describe('What is demanded of data.');

export type DataSource = z.infer<typeof dataSchema>[number];
export type DataCheck = DataSource['checks'][number];
