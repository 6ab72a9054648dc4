import { InputError, type Problem } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';
import type { Traffic, TrafficProvider } from '../traffic-provider.ts';

/** Throws an InputError for traffic that no provider, or not this one, can have. Nothing is written before that. */
export function checkTraffic(
  { canaryWeight, mirrorPercent, header }: Traffic,
  { title, can }: Pick<TrafficProvider, 'title' | 'can'>,
): void {
  const problems: Problem[] = [];
  for (const [key, percent] of Object.entries({ canaryWeight, mirrorPercent })) {
    if (Number.isInteger(percent) && percent >= 0 && percent <= 100) continue;
    problems.push({
      code: 'bad-percent',
      message: `${key} has to be a whole percent`,
      found: String(percent),
      expected: '0 to 100',
      fix: 'Give a whole number from 0 to 100.',
    });
  }
  if (can.weights !== 'any' && !can.weights.includes(canaryWeight)) {
    problems.push({
      code: 'impossible-weight',
      message: `${title} cannot give the canary ${canaryWeight} %`,
      expected: can.weights.join(', '),
      fix: 'Take weights that it has.',
    });
  }
  if (header !== undefined && !can.header) {
    problems.push({
      code: 'no-header-route',
      message: `${title} cannot route by a header`,
      found: excerpt(header.name),
      fix: 'Leave the header-only step out, or put a gateway in front that can.',
    });
  }
  if (mirrorPercent > 0 && !can.mirror) {
    problems.push({
      code: 'no-mirroring',
      message: `${title} cannot copy requests`,
      fix: 'Leave the shadow step out, or put a gateway in front that can.',
    });
  }
  const [first, ...rest] = problems;
  if (first !== undefined) throw new InputError([first, ...rest]);
}
