import type { Check, Status } from './check.ts';
import type { Report, Verdict } from './report.ts';

const judged: ReadonlySet<Status> = new Set<Status>(['pass', 'fail', 'warn', 'inconclusive', 'waived']);

/**
 * One answer from all checks. Something that could not be judged, or nothing judged at all, is `error`: it must never look
 * like a pass. Then one broken bound is `failed`, and so is an inconclusive one where the policy asks for proof.
 */
export function verdictOf(checks: readonly Check[], policy: Pick<Report['policy'], 'onInconclusive'>): Verdict {
  const statuses = new Set(checks.map((check) => check.status));
  if (statuses.has('error') || !checks.some((check) => judged.has(check.status))) return 'error';
  if (statuses.has('fail')) return 'failed';
  return statuses.has('inconclusive') && policy.onInconclusive === 'error' ? 'failed' : 'passed';
}

/** What a command exits with: a program can tell *bad* (100) from *broken* (1). */
export function exitCodeOf(verdict: Verdict): 0 | 1 | 100 {
  return verdict === 'passed' ? 0 : verdict === 'failed' ? 100 : 1;
}
