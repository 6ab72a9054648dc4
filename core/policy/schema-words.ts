import * as z from 'zod';
import { policyDefaults } from './defaults.ts';

// What several parts of the policy's language are made of.

export const name = z.string().min(1);
export const column = name.meta({ id: 'column', description: 'A column of the data file.' });
export const columnList = z.array(column).min(1);

/** A mapping from names, at least one. */
export const named = <Value extends z.ZodType>(value: Value) =>
  z
    .record(name, value)
    .refine((mapping) => Object.keys(mapping).length > 0, { error: 'at least one "name: value"' })
    .meta({ minProperties: 1 });

export const share = z
  .number()
  .min(0, { error: 'a share from 0 to 1' })
  .max(1, { error: 'a share from 0 to 1' })
  .meta({ id: 'share', description: 'A share of rows, from 0 to 1.' });
export const mostly = share.meta({
  id: 'mostly',
  description: 'The share of rows that must hold, from 0 to 1. Great Expectations calls it the same.',
  default: policyDefaults.mostly,
});
export const severity = z.enum(['error', 'warn']).meta({
  id: 'severity',
  description: 'What a broken bound does: error fails the gate, warn is shown only.',
  default: policyDefaults.severity,
});
export const path = z.string().min(1).meta({
  id: 'path',
  description: "A file; its path is relative to the policy file's folder.",
});
export const reason = z
  .string()
  .min(1)
  .meta({ id: 'reason', description: 'Why this bound is what it is; shown beside the result.' });
export const milliseconds = z
  .number()
  .positive({ error: 'more than 0 milliseconds' })
  .meta({ id: 'milliseconds', description: 'Milliseconds a call may take.' });
const durationWords = 'a time such as "30s", "5m" or "500ms"';
export const duration = z
  .string({ error: durationWords })
  .regex(/^\d+(\.\d+)?(ms|s|m|h)$/, { error: durationWords })
  .meta({ id: 'duration', description: 'A time with its unit: ms, s, m or h.' });
/** A text such as `5%`. */
export const percentageSaying = (error: string) => z.string({ error }).regex(/^\d+(\.\d+)?%$/, { error });
const changeWords = 'a number, or a percentage such as "5%"';
/** A number in the metric's own unit (`0.01`: one point), or a share of the baseline's value (`5%`). */
export const change = z.union([z.number().min(0), percentageSaying(changeWords)], { error: changeWords }).meta({
  id: 'change',
  description: 'A number in the metric\'s own unit (0.01: one point), or a share of the baseline\'s value ("5%").',
});
/** At least one of these keys; in JSON Schema's words. */
export const oneOf = (...keys: readonly string[]) => ({ anyOf: keys.map((key) => ({ required: [key] })) });
