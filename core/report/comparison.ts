import { factsOf } from './check-facts.ts';
import type { Report } from './report.ts';

/** One metric of the candidate beside the baseline's. */
export interface ComparedMetric {
  readonly name: string;
  readonly candidate: string;
  readonly baseline: string;
  readonly change: string;
}

const boundWords: ReadonlySet<string> = new Set(['min', 'max', 'max_regression', 'min_improvement', 'max_mb']);

/** Whole-set metrics that the baseline has too, each once however many bounds it has; slices stay with their checks. */
export function comparedMetricsOf(report: Pick<Report, 'checks'>): readonly ComparedMetric[] {
  const metrics = new Map<string, ComparedMetric>();
  for (const check of report.checks) {
    if (check.section !== 'gate' || check.baseline === undefined || typeof check.observed !== 'number') continue;
    if (check.id.includes('[')) continue;
    const name = check.id
      .split('/')
      .slice(1)
      .filter((part) => !boundWords.has(part))
      .join(' ');
    const { observed, baseline, change } = factsOf(check);
    const key = `${check.id.split('/')[1]} ${observed} ${baseline}`;
    if (!metrics.has(key)) metrics.set(key, { name, candidate: observed, baseline, change });
  }
  return [...metrics.values()];
}
