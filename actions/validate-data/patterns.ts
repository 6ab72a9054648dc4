import type { Engine } from '../../core/data/index.ts';
import type { EffectivePolicy } from '../../core/policy/index.ts';
import { DataError, PolicyError, type Problem } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';
import { joniPattern } from './joni-pattern.ts';

/** Throws a `PolicyError` that names every `regex` pattern the engine cannot use. */
export async function refuseBadPatterns({ policy, placeOf }: EffectivePolicy, engine: Engine): Promise<void> {
  const problems: Problem[] = [];
  for (const [index, source] of (policy.data ?? []).entries()) {
    for (const [at, { regex }] of source.checks.entries()) {
      if (regex === undefined) continue;
      const fault =
        (await faultOf(regex.pattern, engine)) ??
        (typeof source.source === 'string' ? undefined : faultOnTrino(regex.pattern));
      if (fault === undefined) continue;
      problems.push({
        code: 'bad-pattern',
        message: `the pattern "${excerpt(regex.pattern, 60)}" is not a regular expression that can be used`,
        place: placeOf(['data', index, 'checks', at, 'regex', 'pattern']),
        found: fault,
        expected: 'RE2 syntax: no look-around, no back references',
        fix: 'Correct the pattern; the whole value must match it.',
      });
    }
  }
  const [first, ...others] = problems;
  if (first !== undefined) throw new PolicyError([first, ...others]);
}

async function faultOf(pattern: string, engine: Engine): Promise<string | undefined> {
  try {
    await engine.query('SELECT regexp_full_match($1, $2)', ['', pattern]);
    return undefined;
  } catch (error) {
    if (error instanceof DataError) return error.problems[0].found ?? error.problems[0].message;
    throw error;
  }
}

/** A pattern of RE2 that the engine of a table cannot take. */
function faultOnTrino(pattern: string): string | undefined {
  try {
    joniPattern(pattern);
    return undefined;
  } catch (error) {
    if (error instanceof PolicyError) return error.problems[0].message;
    throw error;
  }
}
