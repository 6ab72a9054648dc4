import type { Check, Evidence } from './check.ts';
import type { Figure } from './figure.ts';
import { headlineOf } from './headline.ts';
import { reportLimits } from './limits.ts';
import type { Notice, Report } from './report.ts';
import { verdictOf } from './verdict.ts';
import { sectionOrder } from './vocabulary.ts';

/** A report without what follows from the rest of it. */
export type ReportParts = Omit<Report, 'schema' | 'verdict' | 'headline'>;

/**
 * The report of one run: checks in the order of sections and, inside one, of the policy's lines (checks of one line as they were
 * given); verdict and headline computed from them. Fails closed: a check whose numbers are NaN becomes an `error`, whatever status
 * it came with. Long texts are cut to `reportLimits`, so that one giant cell cannot make a report that nobody can read back.
 * Two checks or figures with one id are a bug of the caller and throw a `RangeError`.
 */
export function assembleReport(parts: ReportParts): Report {
  requireUnique('check', parts.checks);
  requireUnique('figure', parts.figures);
  const checks = parts.checks.map((check) => clipped(judgedOrError(check))).sort(bySectionAndPolicyLine);
  const drawable = parts.figures.filter(isDrawable);
  const left: readonly Notice[] = parts.figures
    .filter((figure) => !isDrawable(figure))
    .map((figure) => ({
      level: 'warning',
      message: `Figure ${figure.id} is left out: it holds numbers that are not finite.`,
    }));
  return {
    schema: 1,
    tool: parts.tool,
    name: cut(parts.name),
    verdict: verdictOf(checks, parts.policy),
    headline: headlineOf(checks, parts.policy),
    checks,
    figures: drawable,
    notices: [...parts.notices, ...left].map((notice) => ({ ...notice, message: cut(notice.message) })),
    policy: {
      ...parts.policy,
      differences: parts.policy.differences.map((difference) => ({
        ...difference,
        key: cut(difference.key),
        ...(difference.base === undefined ? {} : { base: cut(difference.base) }),
        ...(difference.head === undefined ? {} : { head: cut(difference.head) }),
      })),
    },
    ...(parts.candidate === undefined ? {} : { candidate: parts.candidate }),
    ...(parts.baseline === undefined ? {} : { baseline: parts.baseline }),
    sources: parts.sources,
    ...(parts.commit === undefined ? {} : { commit: parts.commit }),
    environment: parts.environment,
  };
}

function requireUnique(what: string, items: readonly { readonly id: string }[]): void {
  const seen = new Set<string>();
  for (const { id } of items) {
    if (seen.has(id)) throw new RangeError(`two ${what}s of a report have the id ${JSON.stringify(id)}`);
    seen.add(id);
  }
}

function judgedOrError(check: Check): Check {
  const numbers = [check.observed, check.baseline, check.bound?.value, ...evidenceNumbers(check.evidence)];
  const bad = numbers.find((value) => typeof value === 'number' && Number.isNaN(value));
  if (bad === undefined || check.status === 'error') return check;
  return { ...check, status: 'error', message: `${check.message} (a number behind it is NaN, so it proves nothing)` };
}

function evidenceNumbers(evidence: Evidence | undefined): readonly number[] {
  if (evidence === undefined) return [];
  return [evidence.estimate, evidence.lower, evidence.upper, evidence.against?.value ?? evidence.estimate];
}

function clipped(check: Check): Check {
  const failing = check.failing;
  return {
    ...check,
    title: cut(check.title),
    message: cut(check.message),
    ...(typeof check.observed === 'string' ? { observed: cut(check.observed) } : {}),
    ...(check.bound !== undefined && typeof check.bound.value === 'string'
      ? { bound: { ...check.bound, value: cut(check.bound.value) } }
      : {}),
    ...(failing === undefined
      ? {}
      : {
          failing: {
            total: failing.total,
            columns: failing.columns.slice(0, reportLimits.failingColumns).map((name) => cut(name, reportLimits.value)),
            rows: failing.rows.slice(0, reportLimits.failingRows).map(({ row, file, values }) => ({
              ...(row === undefined ? {} : { row }),
              ...(file === undefined ? {} : { file: cut(file, reportLimits.value) }),
              values: values
                .slice(0, reportLimits.failingColumns)
                .map((value) => (value === null ? null : cut(value, reportLimits.value))),
            })),
          },
        }),
  };
}

function cut(text: string, limit: number = reportLimits.text): string {
  // By code units, but never through a surrogate pair.
  return text.length <= limit ? text : `${text.slice(0, limit - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

function bySectionAndPolicyLine(a: Check, b: Check): number {
  const section = sectionOrder.indexOf(a.section) - sectionOrder.indexOf(b.section);
  if (section !== 0) return section;
  const line = (a.place?.line ?? Infinity) - (b.place?.line ?? Infinity);
  if (line !== 0 && !Number.isNaN(line)) return line;
  const column = (a.place?.column ?? Infinity) - (b.place?.column ?? Infinity);
  return Number.isNaN(column) ? 0 : column;
}

function isDrawable(figure: Figure): boolean {
  const finite = (value: unknown): boolean =>
    typeof value === 'number'
      ? Number.isFinite(value)
      : typeof value === 'object' && value !== null
        ? Object.values(value).every(finite)
        : true;
  return finite(figure);
}
