import { isUtf8 } from 'node:buffer';
import { type Place, PolicyError } from '../problem/index.ts';
import { contradictionsOf } from './contradictions.ts';
import { type Fault, faultsOf } from './describe-issue.ts';
import type { LoadedPolicy } from './loaded-policy.ts';
import { isNonEmpty, type MendableProblem } from './mendable-problem.ts';
import { formatPath, valueAt } from './policy-path.ts';
import { policySchema } from './schema.ts';
import { readYamlDocument, type YamlDocument } from './yaml-document.ts';

/** 1 MiB: hundreds of times what a policy needs, and still read in a blink. */
export const maximumPolicyBytes = 1024 * 1024;
/** Data checks of one policy. */
export const maximumChecks = 1000;
const maximumShown = 20;

/**
 * Reads a policy from the text (or bytes, UTF-8) of `file`. Throws a `PolicyError` that carries every problem found, each with
 * line, column and key, in the order of the text; after twenty comes one that counts the rest.
 */
export function parsePolicy(source: string | Uint8Array, file: string): LoadedPolicy {
  const text = textOf(source, file);
  const document = readYamlDocument(text, file);
  refuseTooManyChecks(document);
  const parsed = policySchema.safeParse(document.value, { jitless: true });
  const refused = parsed.success ? [] : faultsOf(parsed.error.issues, document);
  const misspelt = new Set(
    refused.flatMap(({ path, meant }) => (meant === undefined ? [] : [formatPath(path.slice(0, -1))])),
  );
  const contradictions = contradictionsOf(document.value)
    .filter(({ lackingIn }) => lackingIn === undefined || !misspelt.has(formatPath(lackingIn)))
    .map(
      ({ path, lackingIn: _, ...problem }): Fault => ({
        path,
        describe: () => ({ ...problem, place: document.placeOf(path) }),
      }),
    );
  const faults = [...refused, ...contradictions];
  const problems = describeFaults(faults, document);
  if (isNonEmpty(problems)) throw new PolicyError(problems);
  if (!parsed.success) throw parsed.error;
  return { policy: parsed.data, file, text, placeOf: document.placeOf };
}

/** A policy file is never this long; said without reading it. */
export function tooLarge(bytes: number, file: string): PolicyError {
  return new PolicyError({
    code: 'policy-too-large',
    message: 'the policy file is too large',
    place: { file },
    found: `${bytes} bytes`,
    expected: `at most ${maximumPolicyBytes}`,
    fix: 'Is this the right file?',
  });
}

function textOf(source: string | Uint8Array, file: string): string {
  const bytes = typeof source === 'string' ? Buffer.from(source) : source;
  if (bytes.length > maximumPolicyBytes) throw tooLarge(bytes.length, file);
  if (typeof source === 'string') return source;
  if (isUtf8(bytes)) return new TextDecoder().decode(bytes);
  const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  throw new PolicyError({
    code: 'policy-not-utf8',
    message: 'the policy file is not UTF-8 text',
    place: { file, line: utf16 ? 1 : firstBadLine(bytes) },
    ...(utf16 ? { found: 'UTF-16' } : {}),
    fix: 'Save it as UTF-8.',
  });
}

function firstBadLine(bytes: Uint8Array): number {
  let line = 1;
  let start = 0;
  for (let end = bytes.indexOf(0x0a); end !== -1; end = bytes.indexOf(0x0a, start)) {
    if (!isUtf8(bytes.subarray(start, end))) return line;
    line++;
    start = end + 1;
  }
  return line;
}

function refuseTooManyChecks(document: YamlDocument): void {
  const sources = valueAt(document.value, ['data']);
  if (!Array.isArray(sources)) return;
  const counts = sources.map((source) => {
    const checks = valueAt(source, ['checks']);
    return Array.isArray(checks) ? checks.length : 1;
  });
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total <= maximumChecks) return;
  throw new PolicyError({
    code: 'too-many-checks',
    message: 'the policy has too many data checks',
    place: document.placeOf(['data']),
    found: String(total),
    expected: `at most ${maximumChecks}`,
    fix: 'Name many columns in one check ("not_null: { columns: all }"), or split the policy.',
  });
}

/** The first faults in the order of the text; after twenty comes one that counts the rest. */
export function describeFaults(faults: readonly Fault[], document: YamlDocument): readonly MendableProblem[] {
  const sorted = faults
    .map((fault) => ({ fault, place: document.placeOf(fault.path) }))
    .sort((one, other) => compare(one.place, other.place));
  const shown = sorted.slice(0, maximumShown).map(({ fault }) => fault.describe());
  const [next, ...others] = sorted.slice(maximumShown);
  if (next === undefined) return shown;
  const rest = 1 + others.length;
  const message = `and ${rest} more ${rest === 1 ? 'problem' : 'problems'}`;
  return [...shown, { code: 'more-problems', message, place: next.place, fix: 'Mend the first ones, then run again.' }];
}

function compare(one: Place, other: Place): number {
  return (one.line ?? 0) - (other.line ?? 0) || (one.column ?? 0) - (other.column ?? 0);
}
