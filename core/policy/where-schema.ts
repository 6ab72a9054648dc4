import * as z from 'zod';
import { name, oneOf } from './schema-words.ts';

// Which rows of a table are meant: the same words wherever a policy chooses rows.

const scalar = z.union([z.string(), z.number(), z.boolean()], { error: 'text, a number, true or false' });
const end = z.union([z.number(), z.string()], { error: 'a number, or a date such as "2026-08-01"' });
const condition = z
  .union(
    [
      scalar.describe('The column has this value.'),
      z.array(scalar).min(1).describe('The column has one of these values.'),
      z
        .strictObject({
          min: end.optional().describe('At least this.'),
          max: end.optional().describe('At most this.'),
        })
        .meta({ description: 'The column is inside this range, both ends counted.', ...oneOf('min', 'max') }),
    ],
    { error: 'a value, a list of values, or { min, max }' },
  )
  .describe('What a row must have in the column; rows without a value are left out.');
export const where = z
  .record(name, condition)
  .refine((mapping) => Object.keys(mapping).length > 0, { error: 'at least one "column: condition"' })
  .meta({
    description: 'Only rows that meet every condition: { country: [KR, JP], age: { min: 18 } }.',
    minProperties: 1,
  });

export type Where = z.infer<typeof where>;
export type RowCondition = z.infer<typeof condition>;
