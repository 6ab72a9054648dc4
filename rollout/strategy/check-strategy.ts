import { InputError, type Problem } from '../../core/problem/index.ts';
import type { TrafficProvider } from '../traffic-provider.ts';
import type { Strategy } from './strategy.ts';

/** Throws an `InputError` with everything of the strategy that this provider cannot do, before anything moves. */
export function refuseImpossible(strategy: Strategy, provider: Pick<TrafficProvider, 'name' | 'title' | 'can'>): void {
  const { can, name, title } = provider;
  const problems: Problem[] = [];
  if (strategy.header !== undefined && !can.header) {
    problems.push({
      code: 'no-header-route',
      message: `${name} cannot send requests to the canary by a header`,
      place: { key: 'canary.strategy.header' },
      found: title,
      fix: 'Remove "header" from the strategy, or use a provider with header routes (istio, gateway-api).',
    });
  }
  if (strategy.shadow !== undefined && !can.mirror) {
    problems.push({
      code: 'no-mirror',
      message: `${name} cannot copy requests to the canary`,
      place: { key: 'canary.strategy.shadow' },
      found: title,
      fix: 'Remove "shadow" from the strategy, or use a provider that mirrors (istio, gateway-api).',
    });
  }
  const { weights } = can;
  if (weights !== 'any') {
    const wanted = strategy.kind === 'steps' ? strategy.weights : [strategy.startWeight, strategy.maxWeight];
    const impossible = wanted.filter((weight) => !weights.includes(weight));
    if (strategy.kind === 'adaptive' || impossible.length > 0) {
      problems.push({
        code: 'impossible-weight',
        message: `${name} does not have ${strategy.kind === 'adaptive' ? 'every weight, as an adaptive strategy needs' : `the weights ${impossible.join(', ')}`}`,
        place: { key: 'canary.strategy' },
        expected: weights.join(', '),
        fix: `Write "kind: steps" with weights out of ${weights.join(', ')}.`,
      });
    }
  }
  const [first, ...rest] = problems;
  if (first !== undefined) throw new InputError([first, ...rest]);
}
