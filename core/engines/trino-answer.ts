import * as z from 'zod';

/** One page of what Trino answers to a statement. What is not read is not described. */
export const trinoPage = z.object({
  id: z.string(),
  nextUri: z.string().optional(),
  columns: z.array(z.object({ name: z.string(), type: z.string() })).optional(),
  data: z.array(z.array(z.unknown())).optional(),
  stats: z
    .object({
      state: z.string().optional(),
      completedSplits: z.number().optional(),
      totalSplits: z.number().optional(),
      processedRows: z.number().optional(),
      processedBytes: z.number().optional(),
    })
    .optional(),
  warnings: z.array(z.object({ message: z.string() })).optional(),
  error: z
    .object({
      message: z.string().optional(),
      errorName: z.string().optional(),
      errorType: z.string().optional(),
    })
    .optional(),
});

export type TrinoPage = z.infer<typeof trinoPage>;
export type TrinoRefusal = NonNullable<TrinoPage['error']>;
export type TrinoColumn = NonNullable<TrinoPage['columns']>[number];
