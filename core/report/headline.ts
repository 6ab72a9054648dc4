import { excerpt } from '../text/index.ts';
import type { Check } from './check.ts';
import { describeOutcome } from './check-facts.ts';
import { describeCounts } from './counts.ts';
import type { Report } from './report.ts';
import { verdictOf } from './verdict.ts';
import { attentionOrder, counted } from './vocabulary.ts';

/** The verdict in one printable line, with the first thing that is wrong: what a job's red line and a check's title say. */
export function headlineOf(checks: readonly Check[], policy: Pick<Report['policy'], 'onInconclusive'>): string {
  const verdict = verdictOf(checks, policy);
  const of = (status: Check['status']) => checks.filter((check) => check.status === status);
  if (verdict === 'error') {
    const errors = of('error');
    if (errors.length > 0) return named(errors, checks, 'could not be judged');
    return checks.length === 0
      ? 'Nothing was judged: the policy led to no checks'
      : `Nothing was judged: all ${counted(checks.length, 'check')} were skipped`;
  }
  if (verdict === 'failed') {
    const failed = of('fail');
    if (failed.length > 0) return named(failed, checks, 'failed');
    return named(of('inconclusive'), checks, 'inconclusive, and the policy asks for proof');
  }
  if (checks.every((check) => check.status === 'pass')) {
    return checks.length === 1 ? 'The one check passed' : `All ${counted(checks.length, 'check')} passed`;
  }
  const rest = checks.filter((check) => check.status !== 'pass');
  const first = attentionOrder.flatMap((status) => of(status))[0];
  const head = `None of ${counted(checks.length, 'check')} failed; ${describeCounts(rest)}`;
  return first === undefined ? head : `${head}: ${excerpt(describeOutcome(first), 200)}`;
}

function named(found: readonly Check[], all: readonly Check[], what: string): string {
  const first = found[0];
  const head = `${found.length} of ${counted(all.length, 'check')} ${what}`;
  return first === undefined ? head : `${head}: ${excerpt(describeOutcome(first), 200)}`;
}
