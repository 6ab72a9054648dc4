import { policyDefaults } from '../../core/policy/index.ts';
import type { Check, Figure } from '../../core/report/index.ts';
import type { LoadShape } from '../load/index.ts';
import type { Answer, WireRequest } from '../protocol.ts';
import { millisecondsOf } from './duration.ts';
import { asked } from './golden-answers.ts';
import { type LatencyPolicy, latencyChecks, latencyFigure, requestsFor } from './latency-check.ts';
import { loadCalls } from './load-generator.ts';
import type { WithClock } from './plan-options.ts';

/** The plan's step: warms the server up, sends load, and judges its latency. */
export async function measureLatency(
  policy: LatencyPolicy,
  options: WithClock,
  target: {
    readonly send: (index: number) => Promise<Answer<unknown>>;
    readonly requests: readonly (WireRequest | undefined)[];
  },
): Promise<{ readonly checks: readonly Check[]; readonly figures: readonly Figure[] }> {
  const { host, clock, level, placeOf } = options;
  const { smoke: defaults } = policyDefaults;
  const durationMs = millisecondsOf(policy.duration ?? defaults.duration);
  const shape: LoadShape =
    policy.mode === 'open' && policy.rate !== undefined
      ? { mode: 'open', rate: policy.rate, durationMs }
      : { mode: 'closed', concurrency: policy.concurrency ?? defaults.concurrency, durationMs };
  return host.group('Measure latency', async () => {
    const warmUp = options.policy.warm_up ?? defaults.warm_up;
    for (let index = 0; index < warmUp; index++) {
      // What a warm-up is answered is no matter here: the load itself counts failures.
      if ((await asked(() => target.send(index))).answer === undefined) break;
    }
    const requests = target.requests.filter((request) => request !== undefined);
    const load =
      options.load !== undefined && requests.length === target.requests.length
        ? await options.load(requests, shape, requestsFor(policy))
        : await loadCalls(target.send, shape, clock);
    const checks = latencyChecks(load, shape, policy, {
      level,
      maxErrorShare: policy.max_error_share ?? defaults.max_error_share,
      placeOf: (key) => placeOf(['smoke', 'latency', key]),
    });
    return { checks, figures: latencyFigure(load) };
  });
}
