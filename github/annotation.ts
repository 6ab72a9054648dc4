import { type Check, describeOutcome, type Report, type Status } from '../core/report/index.ts';
import { excerpt } from '../core/text/index.ts';

/** One mark on a line of a file, as GitHub's check runs take it. */
export interface Annotation {
  readonly path: string;
  readonly start_line: number;
  readonly end_line: number;
  readonly annotation_level: 'notice' | 'warning' | 'failure';
  readonly title: string;
  readonly message: string;
}

const levels: Readonly<Partial<Record<Status, Annotation['annotation_level']>>> = {
  error: 'failure',
  fail: 'failure',
  inconclusive: 'warning',
  warn: 'warning',
  waived: 'notice',
};

/** Checks that deserve a mark, the worst first. */
export function remarkableChecks(checks: readonly Check[]): readonly Check[] {
  const order = Object.keys(levels);
  return checks
    .filter(({ status }) => levels[status] !== undefined)
    .toSorted((a, b) => order.indexOf(a.status) - order.indexOf(b.status));
}

/**
 * The marks of a report. Each stands on its check's line of the policy; `locate` turns a place's file into its path in the
 * repository. What has no line of its own stands on the policy's first.
 */
export function annotationsOf(
  report: Pick<Report, 'checks' | 'policy'>,
  locate: (file: string) => string | undefined,
): readonly Annotation[] {
  const policy = locate(report.policy.file);
  return remarkableChecks(report.checks).flatMap((check) => {
    const own = check.place?.file === undefined ? undefined : locate(check.place.file);
    const path = own ?? policy;
    if (path === undefined) return [];
    const line = own === undefined ? 1 : (check.place?.line ?? 1);
    return [
      {
        path,
        start_line: line,
        end_line: line,
        annotation_level: levels[check.status] ?? 'notice',
        title: excerpt(`${check.status}: ${check.title}`, 120),
        message: excerpt(check.message === '' ? describeOutcome(check) : check.message, 4000),
      },
    ];
  });
}
