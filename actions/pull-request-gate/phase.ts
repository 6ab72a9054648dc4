import { describeProblem, SluiceError } from '../../core/problem/index.ts';
import type { Check } from '../../core/report/index.ts';
import { excerpt } from '../../core/text/index.ts';
import type { Judged } from '../../github/index.ts';

/**
 * One phase of the gate. What keeps it from judging becomes checks with status `error`, one a problem, so that the other phase
 * and the report are not lost; a bug stays a bug and is thrown. A phase the policy has nothing for finds nothing.
 */
export async function phase(section: Check['section'], wanted: boolean, work: () => Promise<Judged>): Promise<Judged> {
  if (!wanted) return { checks: [], sources: [] };
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    const checks = error.problems.map(
      (problem, index): Check => ({
        id: `${section}/error/${problem.code}${index === 0 ? '' : `#${index + 1}`}`,
        title: excerpt(problem.message, 120),
        section,
        status: 'error',
        message: describeProblem(problem),
        ...(problem.place === undefined ? {} : { place: problem.place }),
      }),
    );
    return { checks, sources: [] };
  }
}
