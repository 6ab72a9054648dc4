import { excerpt } from '../text/index.ts';
import type { Report } from './report.ts';
import { counted } from './vocabulary.ts';

const perKind = 3;

/** What a reader can do about this report, as sentences, the most urgent first. Hold names from data: a renderer escapes them. */
export function nextStepsOf(report: Report): readonly string[] {
  const of = (status: Report['checks'][number]['status']) => report.checks.filter((check) => check.status === status);
  const errors = of('error');
  const unsettled = of('inconclusive');
  const settling = unsettled.filter((check) => check.rowsToSettle !== undefined);
  const keptBounds = report.policy.differences.filter((difference) => difference.effective === 'base');
  const rowsFailing = report.checks.filter((check) => check.status === 'fail' && check.failing !== undefined);
  return [
    ...(errors.length === 0
      ? []
      : [
          `Mend what could not be judged first (${counted(errors.length, 'check')}): until then nothing is known about the rest of the verdict.`,
        ]),
    ...rowsFailing
      .slice(0, perKind)
      .map(
        (check) =>
          `Look at the ${counted(check.failing?.total ?? 0, 'row')} that break “${excerpt(check.title)}”; the first are listed with it.`,
      ),
    ...settling
      .slice(0, perKind)
      .map(
        (check) =>
          `About ${counted(check.rowsToSettle ?? 0, 'more row')} like these would settle “${excerpt(check.title)}”.`,
      ),
    ...(settling.length > perKind
      ? [`More rows would settle ${counted(settling.length - perKind, 'more check')}.`]
      : []),
    ...(keptBounds.length === 0
      ? []
      : [
          `This run keeps ${counted(keptBounds.length, 'demand')} of the base branch's policy that the pull request relaxes; relaxing takes effect after merge.`,
        ]),
  ];
}
