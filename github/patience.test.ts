import { RequestError } from '@octokit/request-error';
import { expect, test } from 'vitest';
import { patience } from './patience.ts';

const request = { method: 'POST' as const, url: 'https://api.test/x', headers: {} };

function refusal(status: number, message: string, headers: Readonly<Record<string, string>> = {}): RequestError {
  const response = { status, url: request.url, headers, data: {}, retryCount: 0 };
  return new RequestError(message, status, { request, response });
}

/** Calls with these answers in turn; gives the waits that were announced and how often it was called. */
async function call(errors: readonly Error[], maximumWaitSeconds = 60, retries?: number) {
  const waits: number[] = [];
  let calls = 0;
  const wrapped = patience({ maximumWaitSeconds, secondMs: 0, onWait: (seconds) => waits.push(seconds) });
  const outcome = await wrapped(async () => {
    const error = errors[calls++];
    if (error !== undefined) throw error;
    return 'done';
  }, retries).catch((error: Error) => error.message);
  return { outcome, waits, calls };
}

test('waits as long as GitHub says', async () => {
  const limited = refusal(403, 'You have exceeded a secondary rate limit', { 'retry-after': '12' });
  expect(await call([limited, limited])).toEqual({ outcome: 'done', waits: [12, 12], calls: 3 });
});

test('waits until the limit is reset', async () => {
  const reset = String(Math.floor(Date.now() / 1000) + 20);
  const headers = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset };
  const { outcome, waits } = await call([refusal(403, 'API rate limit exceeded', headers)]);
  expect(outcome).toBe('done');
  expect(waits[0]).toBeGreaterThanOrEqual(20);
  expect(waits[0]).toBeLessThanOrEqual(22);
});

test('gives up at once when the wait is longer than what is left', async () => {
  const limited = refusal(429, 'slow down', { 'retry-after': '61' });
  expect(await call([limited])).toEqual({ outcome: 'slow down', waits: [], calls: 1 });
});

test('a limit that says it is over and is not does not go on for ever', async () => {
  const over = refusal(403, 'API rate limit exceeded', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1' });
  const { outcome, calls } = await call(Array(100).fill(over), 5);
  expect(outcome).toBe('API rate limit exceeded');
  expect(calls).toBe(6);
});

test('waits half a minute when GitHub does not say how long', async () => {
  expect((await call([refusal(403, 'You have exceeded a secondary rate limit')])).waits).toEqual([30]);
});

test.each([401, 403, 404, 422])('a plain %i is not tried again', async (status) => {
  expect((await call([refusal(status, 'no')])).calls).toBe(1);
});

test('a 5xx and a broken line are tried again twice', async () => {
  expect(await call([refusal(502, 'bad'), new Error('ECONNRESET')])).toMatchObject({ outcome: 'done', calls: 3 });
  expect(await call([refusal(502, 'bad'), refusal(502, 'bad'), refusal(502, 'bad')])).toMatchObject({ calls: 3 });
});

test('without retries a 5xx stands, and a rate limit is still waited for', async () => {
  expect((await call([refusal(502, 'bad')], 60, 0)).calls).toBe(1);
  const limited = refusal(403, 'secondary rate limit', { 'retry-after': '2' });
  expect(await call([limited], 60, 0)).toMatchObject({ outcome: 'done', calls: 2 });
});
