import { type Clock, steadyClock } from './clock.ts';
import type { TrafficProvider } from './traffic-provider.ts';

/**
 * A steady clock that starts at the provider's time, where it tells, else at the machine's. A machine that is hours ahead would otherwise
 * write leases which nobody else sees run out.
 */
export async function providerClock(provider: Pick<TrafficProvider, 'now'>): Promise<Clock> {
  return steadyClock(await provider.now?.().catch(() => undefined));
}
