import { type DataCheckOptions, policyDefaults } from '../../../core/policy/index.ts';
import { excerpt } from '../../../core/text/index.ts';
import { type Demand, settled } from '../planned-check.ts';
import type { Subject } from '../subject.ts';

/** Columns whose values are spread as in another file, each by itself. They have been measured when this is planned. */
export function skew(options: DataCheckOptions<'skew'>, { skewed }: Subject): readonly Demand[] {
  const { reference, max, measure = policyDefaults.skew.measure } = options;
  return skewed(options).map(({ column, judgement }) => {
    if (column === undefined) return settled(`skew[${measure}]`, `skew against ${excerpt(reference, 60)}`, judgement);
    const title = `${excerpt(column, 60)} ${measure} ≤ ${max} against ${excerpt(reference, 60)}`;
    return { ...settled(`skew[${excerpt(column)}][${measure}]`, title, judgement), column };
  });
}
