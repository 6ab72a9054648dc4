import { z } from 'zod';
import { policyDefaults } from './defaults.ts';
import { sourceSchema } from './engines-schema.ts';
import { column, columnList, mostly, named, oneOf, reason, severity, share } from './schema-words.ts';

/** What every data check may carry beside its own keys. */
const ofCheck = { severity: severity.optional(), reason: reason.optional() };
const ofRowCheck = { ...ofCheck, mostly: mostly.optional() };
const columns = z
  .union([z.literal('all'), columnList], { error: '"all" or a list of column names' })
  .meta({ id: 'columns', description: 'all, or a list of columns; each is judged by itself.' });

export const dataChecks = {
  row_count: z
    .strictObject({
      min: z.int().min(0).optional().describe('At least this many rows.'),
      max: z.int().min(0).optional().describe('At most this many rows.'),
      ...ofCheck,
    })
    .meta({ description: 'How many rows the file has.', ...oneOf('min', 'max') }),
  schema: z
    .strictObject({
      required: columnList.optional().describe('Columns that must be there, in any order.'),
      types: named(z.enum(['integer', 'number', 'string', 'boolean', 'date', 'timestamp']))
        .optional()
        .describe('Columns that must be there and be of this type; number holds integers too.'),
      extra: z.enum(['allow', 'forbid']).optional().meta({
        description: 'Whether columns not named by required or types may be there.',
        default: policyDefaults.extra,
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
      min: z.number().optional().describe('The smallest value allowed.'),
      max: z.number().optional().describe('The largest value allowed.'),
      ...ofRowCheck,
    })
    .meta({
      description: 'Values inside a range, both ends allowed. Empty values are not judged.',
      ...oneOf('min', 'max'),
    }),
  accepted_values: z
    .strictObject({
      column,
      values: z
        .array(z.union([z.string(), z.number(), z.boolean()], { error: 'text, a number, true or false' }))
        .min(1)
        .describe('Every value the column may hold.'),
      ...ofRowCheck,
    })
    .meta({ description: 'Values out of a fixed list. Empty values are not judged.' }),
  unique: z
    .strictObject({ columns: columnList.describe('Together they tell any two rows apart.'), ...ofRowCheck })
    .meta({ description: 'No two rows alike in these columns.' }),
  class_share: z
    .strictObject({
      column,
      min: share.optional().describe('The smallest share any class may have.'),
      max: share.optional().describe('The largest share any class may have.'),
      ...ofCheck,
    })
    .meta({ description: 'How evenly the classes of a label column are spread.', ...oneOf('min', 'max') }),
  duplicate_rows: z
    .strictObject({
      max_share: share.describe('The largest share of rows that may repeat an earlier row.'),
      ...ofCheck,
    })
    .meta({ description: 'Rows alike in every column.' }),
  regex: z
    .strictObject({
      column,
      pattern: z.string().min(1).describe('RE2 syntax; the whole value must match.'),
      ...ofRowCheck,
    })
    .meta({ description: 'Text that follows a pattern. Empty values are not judged.' }),
} as const;

export type DataCheckName = keyof typeof dataChecks;
export type DataCheckOptions<Name extends DataCheckName> = z.infer<(typeof dataChecks)[Name]>;

// A list entry is an object with exactly one key, as in dbt: `- not_null: { columns: all }`.
const dataCheck = z
  .strictObject({
    row_count: dataChecks.row_count.optional(),
    schema: dataChecks.schema.optional(),
    not_null: dataChecks.not_null.optional(),
    between: dataChecks.between.optional(),
    accepted_values: dataChecks.accepted_values.optional(),
    unique: dataChecks.unique.optional(),
    class_share: dataChecks.class_share.optional(),
    duplicate_rows: dataChecks.duplicate_rows.optional(),
    regex: dataChecks.regex.optional(),
  })
  .meta({ id: 'dataCheck', description: 'One check: a mapping with one key.', minProperties: 1, maxProperties: 1 });

/** The policy's key `data`. */
export const dataSchema = z
  .array(
    z
      .strictObject({ source: sourceSchema, checks: z.array(dataCheck).min(1).describe('One list entry a check.') })
      .describe('A file or a table, and what is demanded of it.'),
  )
  .min(1)
  .describe('What is demanded of data.');

export type DataSource = z.infer<typeof dataSchema>[number];
export type DataCheck = DataSource['checks'][number];
