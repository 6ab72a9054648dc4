import { describe, expect, test } from 'vitest';
import { PeerError } from '../core/problem/index.ts';
import { providerClock } from './provider-clock.ts';

const hour = 3_600_000;

describe('the clock of a rollout', () => {
  test.each([-5 * hour, 5 * hour])('starts at the provider’s time, %i ms from the machine’s', async (off) => {
    const at = Date.now() + off;
    const clock = await providerClock({ now: async () => at });
    expect(Math.abs(clock.now() - at)).toBeLessThan(hour);
  });

  test('starts at the machine’s where the provider does not tell, or does not answer', async () => {
    const away = async (): Promise<number> => {
      throw new PeerError({ code: 'unreachable', message: 'away' });
    };
    for (const provider of [{}, { now: away }]) {
      const clock = await providerClock(provider);
      expect(Math.abs(clock.now() - Date.now())).toBeLessThan(hour);
    }
  });
});
