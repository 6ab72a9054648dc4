import * as z from 'zod';
import { formatPath, type PolicyPath } from './policy-path.ts';
import { policySchema } from './schema.ts';

/** The keys the schema knows in the mapping at `path`, in the schema's order; empty when there is no such mapping. */
export function keysAt(path: PolicyPath, root: z.ZodType = policySchema): readonly string[] {
  return mappingsAt(path, root).flatMap((mapping) => Object.keys(mapping.shape));
}

/**
 * The mappings that know `key`, nearest to `from` first: `['evaluation', 'gates.fairness']` for `min_rows`.
 * List entries read `data[].checks[]`, entries of a mapping from names `environments.<name>`; the root is an empty text.
 */
export function homesOf(key: string, from: PolicyPath, root: z.ZodType = policySchema): readonly string[] {
  const homes = homesIn.get(root) ?? collectHomes(root);
  homesIn.set(root, homes);
  const wanted = from.map((segment) => (typeof segment === 'number' ? '[]' : segment));
  return (homes.get(key) ?? [])
    .map((home) => ({ home, steps: stepsBetween(home, wanted) }))
    .sort((one, other) => one.steps - other.steps)
    .map(({ home }) => formatPath(home).replaceAll('["[]"]', '[]').replaceAll('["<name>"]', '.<name>'));
}

type Homes = ReadonlyMap<string, readonly (readonly string[])[]>;

const homesIn = new WeakMap<z.ZodType, Homes>();

function collectHomes(root: z.ZodType): Homes {
  const found = new Map<string, (readonly string[])[]>();
  const walk = (schema: unknown, path: readonly string[]): void => {
    for (const one of alternatives(schema)) {
      if (one instanceof z.ZodObject) {
        for (const [key, inner] of Object.entries(one.shape)) {
          found.set(key, [...(found.get(key) ?? []), path]);
          walk(inner, [...path, key]);
        }
      } else if (one instanceof z.ZodArray) walk(one.element, [...path, '[]']);
      else if (one instanceof z.ZodRecord) walk(one.valueType, [...path, '<name>']);
    }
  };
  walk(root, []);
  return found;
}

function stepsBetween(one: readonly string[], other: readonly string[]): number {
  let common = 0;
  while (common < one.length && one[common] === other[common]) common++;
  return one.length + other.length - 2 * common;
}

function mappingsAt(path: PolicyPath, root: z.ZodType): readonly z.ZodObject[] {
  let at: readonly unknown[] = alternatives(root);
  for (const segment of path) at = at.flatMap((schema) => step(schema, segment)).flatMap(alternatives);
  return at.filter((schema) => schema instanceof z.ZodObject);
}

function step(schema: unknown, segment: string | number): readonly unknown[] {
  if (schema instanceof z.ZodObject) return Object.hasOwn(schema.shape, segment) ? [schema.shape[segment]] : [];
  if (schema instanceof z.ZodArray) return [schema.element];
  if (schema instanceof z.ZodRecord) return [schema.valueType];
  return [];
}

/** The schema without `optional`, a union as its members. */
function alternatives(schema: unknown): readonly unknown[] {
  if (schema instanceof z.ZodOptional) return alternatives(schema.unwrap());
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(alternatives);
  return [schema];
}
