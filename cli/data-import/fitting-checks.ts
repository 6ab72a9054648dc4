import { type DataCheck, type DataCheckName, dataChecks } from '../../core/policy/index.ts';
import { excerpt } from '../../core/text/index.ts';
import type { Drafted, Left } from './drafted-checks.ts';

/** The draft where a policy can say every check of it; else why not: parameters, bounds that are not there. */
export function fitting(
  from: string,
  checks: readonly DataCheck[],
  { note, severity }: { readonly note?: string; readonly severity?: string } = {},
): Drafted | Left {
  const sound: DataCheck[] = [];
  for (const check of checks) {
    const [name, options] = Object.entries(check)[0] ?? [];
    const schema = dataChecks[name as DataCheckName];
    const parsed = schema?.safeParse({ ...options, ...(severity === undefined ? {} : { severity }) });
    const demands = Object.keys(options ?? {}).length > (bounded.has(String(name)) ? 1 : 0);
    if (parsed?.success !== true || !demands || lacksEnds(String(name), options))
      return { from, why: excerpt(`a policy cannot say this: ${JSON.stringify(options)}`, 200) };
    sound.push({ [String(name)]: parsed.data });
  }
  if (sound.length === 0) return { from, why: 'it demands nothing' };
  return { from, checks: sound, ...(note === undefined ? {} : { note }) };
}

const bounded = new Set([
  'between',
  'length',
  'mean',
  'std',
  'sum',
  'min',
  'max',
  'quantile',
  'distinct_count',
  'distinct_share',
]);

function lacksEnds(name: string, options: object | undefined): boolean {
  return (
    (bounded.has(name) || name === 'row_count') && options !== undefined && !('min' in options) && !('max' in options)
  );
}
