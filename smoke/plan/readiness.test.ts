import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { silentHost } from '../../core/host/index.ts';
import type { Readiness } from '../protocol.ts';
import type { Clock } from './clock.ts';
import { waitUntilReady } from './readiness.ts';

/** Time that passes only where the code waits. */
function fakeClock(random = () => 0): Clock & { readonly waits: number[] } {
  let now = 0;
  const waits: number[] = [];
  return {
    waits,
    now: () => now,
    random,
    async sleep(milliseconds) {
      waits.push(milliseconds);
      now += milliseconds;
    },
  };
}

const loading: Readiness = {
  ready: false,
  status: 503,
  problem: { code: 'not-ready', message: 'the model is loading' },
};

const wait = (answers: readonly Readiness[], clock: Clock, deadline = 60_000) => {
  let asked = 0;
  return waitUntilReady(
    { ready: async () => answers[Math.min(asked++, answers.length - 1)] ?? loading },
    { deadline, place: {}, clock, host: silentHost },
  );
};

describe('waiting until the server is ready', () => {
  test('asks again, twice as long apart each time, up to five seconds', async () => {
    const clock = fakeClock();
    const check = await wait([...Array<Readiness>(8).fill(loading), { ready: true }], clock);
    expect(check).toMatchObject({ id: 'smoke/ready', status: 'pass' });
    expect(clock.waits).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000, 5000]);
  });

  test('shortens each wait by chance to no less than half, and never passes the deadline by more than a question', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.nat(100_000),
        async (chance, deadline) => {
          const clock = fakeClock(() => chance);
          const check = await wait([loading], clock, deadline);
          expect(check.status).toBe('fail');
          expect(clock.now()).toBeCloseTo(deadline, 6);
          for (const [index, each] of clock.waits.slice(0, -1).entries()) {
            const full = Math.min(5000, 250 * 2 ** index);
            expect(each).toBeGreaterThanOrEqual(full / 2);
            expect(each).toBeLessThanOrEqual(full);
          }
        },
      ),
    );
  });

  test('fails with the last answer seen when the deadline is over', async () => {
    const check = await wait([loading], fakeClock(), 3000);
    expect(check.status).toBe('fail');
    expect(check.message).toBe(
      'It was not ready after 3 s, asked 5 times. The last answer: 503: the model is loading.',
    );
  });

  test.each([
    [401, 'token-env'],
    ['UNAUTHENTICATED', 'token-env'],
    [403, 'check the token'],
  ])('does not wait for a %s to go away, and says what to do', async (status, advice) => {
    const clock = fakeClock();
    const check = await wait([{ ready: false, status, problem: { code: 'refused', message: 'go away' } }], clock);
    expect(check.status).toBe('error');
    expect(check.message).toContain(advice);
    expect(clock.waits).toEqual([]);
  });

  test('does not wait for a certificate that is not trusted', async () => {
    const clock = fakeClock();
    const problem = { code: 'tls-expired', message: 'the certificate has expired', fix: 'Renew it.' };
    const check = await wait([{ ready: false, problem }], clock);
    expect(check).toMatchObject({ status: 'error', message: 'the certificate has expired. Renew it.' });
    expect(clock.waits).toEqual([]);
  });

  test('waits for a name that is not there yet', async () => {
    const unknown = { code: 'unknown-host', message: 'the name has no address' };
    const check = await wait([{ ready: false, problem: unknown }, { ready: true }], fakeClock());
    expect(check.status).toBe('pass');
  });
});
