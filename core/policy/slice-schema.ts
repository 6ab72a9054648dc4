import * as z from 'zod';
import { name } from './schema-words.ts';

/** What a slice of a condition and a set of evaluation rows are called: part of the ids of their checks. */
export const shortName = (what: string) =>
  z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9_-]{0,59}$/, { error: 'a letter, then letters, digits, _ and -, at most 60' })
    .describe(what);

const column = name.describe('A column: each of its values is a slice.');
const edges = z.record(name, z.array(z.number()).min(1)).meta({
  description: 'A numeric column and the edges that cut it: { age: [0, 25, 65] }.',
  minProperties: 1,
  maxProperties: 1,
});
const cut = z.union([column, edges], { error: 'a column name, or a column with its edges' });

const condition = z
  .strictObject({
    name: shortName('What reports call it.'),
    where: z
      .string()
      .min(1)
      .max(2000)
      .describe("A SQL condition of one row over the evaluation's columns; the slice is the rows where it is true."),
  })
  .describe('The rows that a condition holds for.');

/** One declaration of slices. */
export const sliceSchema = z.union(
  [
    column,
    z
      .array(cut)
      .min(2)
      .max(4)
      .describe('Intersections: a slice for every combination, such as [country, { age: [0, 25, 65] }].'),
    condition,
    edges,
  ],
  {
    error:
      'a column name, a column with its edges such as { age: [0, 25, 65] }, a list of those (their intersections), or { name: ..., where: "a condition" }',
  },
);

export type SliceDeclaration = z.infer<typeof sliceSchema>;
export type SliceCut = z.infer<typeof cut>;
export type SliceCondition = z.infer<typeof condition>;

/** Whether the slice is one of a condition; a column may well be called "where". */
export function isCondition(slice: SliceDeclaration): slice is SliceCondition {
  return typeof slice === 'object' && !Array.isArray(slice) && typeof slice['where'] === 'string';
}
