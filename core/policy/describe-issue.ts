import type { z } from 'zod';
import { excerpt, nearestName } from '../text/index.ts';
import { foreignNames } from './foreign-names.ts';
import { homesOf, keysAt } from './known-keys.ts';
import type { MendableProblem } from './mendable-problem.ts';
import { namePrefixOf } from './name-prefix.ts';
import { formatPath, isMapping, type PolicyPath, valueAt } from './policy-path.ts';
import { policySchema } from './schema.ts';
import { type Expectation, expectationOf, phraseOf } from './schema-expectation.ts';
import { fixFor } from './value-fix.ts';
import type { YamlDocument } from './yaml-document.ts';
import { oneLineYaml } from './yaml-text.ts';

/** One spot of the policy that the schema refuses. `describe` is the costly part, so only the shown ones are described. */
export interface Fault {
  readonly path: PolicyPath;
  /** The key that was probably meant here. */
  readonly meant?: string;
  describe(): MendableProblem;
}

/** Unknown keys of one mapping that are compared with the known ones; a mapping with more is not a typing mistake. */
const maximumMisspelt = 50;

type Issue = z.core.$ZodIssue;

/** zod's issues as faults, one a spot: unions opened, unknown keys apart, a missing key left out when it is just misspelt. */
export function faultsOf(
  issues: readonly Issue[],
  document: YamlDocument,
  root: z.ZodType = policySchema,
): readonly Fault[] {
  const opened = issues.flatMap((issue) => openUnion(issue, []));
  const unknown = new Map<string, readonly string[]>();
  for (const { issue, path } of opened) {
    if (issue.code === 'unrecognized_keys') unknown.set(formatPath(path), issue.keys);
  }
  return opened.flatMap(({ issue, path }): readonly Fault[] => {
    if (issue.code === 'unrecognized_keys') {
      const known = keysAt(path, root);
      return issue.keys.map((key, index) => {
        const name = index < maximumMisspelt ? meant(key, known, path, root) : undefined;
        return {
          path: [...path, key],
          ...(name === undefined ? {} : { meant: name }),
          describe: () => describeUnknownKey(key, path, document, root),
        };
      });
    }
    const parent = path.slice(0, -1);
    const key = path.at(-1);
    if (
      typeof key === 'string' &&
      isMapping(valueAt(document.value, parent)) &&
      valueAt(document.value, path) === undefined
    ) {
      const misspelt = (unknown.get(formatPath(parent)) ?? []).slice(0, maximumMisspelt);
      if (misspelt.some((name) => meant(name, keysAt(parent, root), parent, root) === key)) return [];
      return [{ path, describe: () => describeMissingKey(key, path, issue, document) }];
    }
    return [{ path, describe: () => describeWrongValue(path, issue, document, root) }];
  });
}

interface Opened {
  readonly issue: Issue;
  readonly path: PolicyPath;
}

/** The issues of the one member of a union that the value tries to be, by its keys where several are mappings; the union's own issue when it is like none. */
function openUnion(issue: Issue, prefix: PolicyPath): readonly Opened[] {
  const path = [...prefix, ...issue.path.map((segment) => (typeof segment === 'symbol' ? String(segment) : segment))];
  if (issue.code !== 'invalid_union') return [{ issue, path }];
  const tried = issue.errors.filter(
    (member) =>
      !member.every(({ code, path: at }) => at.length === 0 && (code === 'invalid_type' || code === 'invalid_value')),
  );
  const [nearest, next] = tried.toSorted((one, other) => strangeKeys(one) - strangeKeys(other));
  const only = next === undefined || (nearest !== undefined && strangeKeys(nearest) < strangeKeys(next));
  return only && nearest !== undefined ? nearest.flatMap((inner) => openUnion(inner, path)) : [{ issue, path }];
}

/** How many keys of a mapping one member of a union does not know. */
function strangeKeys(member: readonly Issue[]): number {
  return member.reduce(
    (sum, issue) => sum + (issue.code === 'unrecognized_keys' && issue.path.length === 0 ? issue.keys.length : 0),
    0,
  );
}

function describeUnknownKey(key: string, parent: PolicyPath, document: YamlDocument, root: z.ZodType): MendableProblem {
  const place = document.placeOf([...parent, key]);
  const problem = { code: 'unknown-key', message: `unknown key "${excerpt(key, 60)}"`, place };
  const known = keysAt(parent, root);
  const near = meant(key, known, parent, root);
  if (near !== undefined) return { ...problem, fix: `Did you mean "${near}"?` };
  if (/^\d+$/.test(key)) return { ...problem, fix: 'If it is a decimal, write a point: a comma starts a new key.' };
  const homes = homesOf(key, parent, root);
  if (homes.length > 0) {
    const shown = homes.slice(0, 3).map((home) => (home === '' ? 'the top level' : home));
    const more = homes.length > shown.length ? ', ...' : '';
    return { ...problem, fix: `"${key}" belongs in ${shown.join(', ')}${more}.` };
  }
  if (known.length === 0) return { ...problem, fix: 'Remove it.' };
  const shown = known.slice(0, 12);
  const expected = `one of ${shown.join(', ')}${known.length > shown.length ? ', ...' : ''}`;
  return { ...problem, expected, fix: 'Use one of them, or remove it.' };
}

/** The key of `known` that `key` stands for: misspelt, or in another tool's words. */
function meant(key: string, known: readonly string[], parent: PolicyPath, root: z.ZodType): string | undefined {
  const foreign = foreignNames.get(key);
  if (foreign !== undefined && known.includes(foreign)) return foreign;
  return nearestName(key, known) ?? (homesOf(key, parent, root).length === 0 ? namePrefixOf(key, known) : undefined);
}

function describeMissingKey(key: string, path: PolicyPath, issue: Issue, document: YamlDocument): MendableProblem {
  const expected = phraseOf(expectationOf(issue));
  return {
    code: 'missing-key',
    message: `the key "${key}" is missing`,
    place: document.placeOf(path),
    expected,
    fix:
      path.length === 1 && key === 'version'
        ? 'Write "version: 1" as the first line.'
        : `Add "${key}:" with ${expected} after it.`,
  };
}

function describeWrongValue(path: PolicyPath, issue: Issue, document: YamlDocument, root: z.ZodType): MendableProblem {
  const value = valueAt(document.value, path);
  const expectation: Expectation = expectationOf(issue);
  const expected = phraseOf(expectation);
  return {
    code: issue.code === 'invalid_type' || issue.code === 'invalid_union' ? 'wrong-type' : 'wrong-value',
    message: issue.code === 'invalid_key' ? 'a name is empty' : 'wrong value',
    place: document.placeOfValue(path),
    found: describeValue(value),
    expected,
    // Where nobody could guess what was meant, at least what would be right there.
    fix: fixFor(path, value, expectation, root) ?? `Write ${expected} there.`,
  };
}

function describeValue(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list, ${excerpt(oneLineYaml(value), 40)}`;
  if (isMapping(value)) return `a mapping, ${excerpt(oneLineYaml(value), 40)}`;
  return typeof value === 'string' ? `the text ${excerpt(JSON.stringify(value), 60)}` : excerpt(oneLineYaml(value), 60);
}
