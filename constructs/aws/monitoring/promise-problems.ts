import type { ServiceLevel } from '../../dashboards/index.ts';
import type { ConstructProblem } from '../../problem/index.ts';

/** What is wrong with the shares and the time that users were promised: for whoever draws them and whoever is woken by them. */
export function promiseProblems({
  availability,
  latency,
}: Pick<Required<ServiceLevel>, 'availability' | 'latency'>): readonly ConstructProblem[] {
  const problems: ConstructProblem[] = [];
  for (const [prop, objective] of [
    ['serviceLevel.availability', availability],
    ['serviceLevel.latency.objective', latency.objective],
  ] as const)
    if (!isObjective(objective))
      problems.push({
        code: 'bad-objective',
        message: `${prop} is no share of requests that leaves room for errors`,
        found: String(objective),
        expected: 'above 0 and below 1, such as 0.999',
        fix: 'Write 99.9 % as 0.999. With 1 there is no budget to burn.',
      });
  if (!(latency.threshold > 0))
    problems.push({
      code: 'bad-threshold',
      message: 'serviceLevel.latency.threshold is no time that a request may take',
      found: String(latency.threshold),
      expected: 'seconds, above 0',
      fix: 'Write 250 ms as 0.25.',
    });
  return problems;
}

/** Whether a share of requests leaves an error budget. */
export function isObjective(share: number): boolean {
  return share > 0 && share < 1;
}
