import { PeerError } from '../../core/problem/index.ts';
import { armDifference, noMemory } from '../analysis/arm-memory.ts';
import { type ArmWindow, addWindows, noWindow } from '../analysis/arm-window.ts';
import type { MetricsSource } from '../metrics-source.ts';
import type { PlannedTraffic } from './canary-plan.ts';

/**
 * The traffic of both arms as it is, from two readings so many milliseconds apart. `slowShare` is that above the histogram's edge at or next
 * above `sloMs`, 0 without a histogram; the noise takes longer to see and is taken to be none. Throws a `PeerError` where there were no
 * requests.
 */
export async function measureTraffic(
  source: MetricsSource,
  {
    milliseconds,
    sloMs,
    sleep,
  }: { milliseconds: number; sloMs?: number; sleep: (milliseconds: number) => Promise<void> },
): Promise<PlannedTraffic> {
  const before = await source.read();
  const began = Date.now();
  await sleep(milliseconds);
  const after = await source.read();
  const seconds = Math.max(0.001, (Date.now() - began) / 1000);
  const growth = (arm: 'canary' | 'baseline'): ArmWindow => {
    const about = { arm, warmUp: 0 };
    const { memory } = armDifference(noMemory, before[arm], { ...about, now: began });
    return armDifference(memory, after[arm], { ...about, now: began + milliseconds }).window;
  };
  const window = [growth('canary'), growth('baseline')].reduce(addWindows, noWindow);
  if (window.requests === 0) {
    throw new PeerError({
      code: 'no-requests',
      message: `${source.name} counted no requests in ${Math.round(seconds)} s`,
      found: source.title,
      fix: 'Measure for longer, or say what the traffic is: --requests-per-second and --error-rate.',
    });
  }
  const { latency } = window;
  const edge = sloMs === undefined ? -1 : (latency?.edges.findIndex((each) => each * 1000 >= sloMs * (1 - 1e-9)) ?? -1);
  const fast = latency?.cumulative[edge];
  return {
    requestsPerSecond: window.requests / seconds,
    errorRate: window.errors / window.requests,
    slowShare: latency === undefined || fast === undefined || latency.count === 0 ? 0 : 1 - fast / latency.count,
    noise: 0,
  };
}
