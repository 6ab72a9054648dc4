import { expect, test } from 'vitest';
import { AccessLog } from './access-log.ts';

const entry = { method: 'GET', path: '/v2', milliseconds: 1.23456, bytesIn: 0, bytesOut: 2, remote: undefined };

test('lines are written together, each a JSON object; what steers a terminal is escaped', () => {
  const written: string[] = [];
  const log = new AccessLog({ write: (text) => written.push(text) });
  log.request({ ...entry, status: 200 });
  log.request({ ...entry, status: 404, path: '/\u001b[2J\n' });
  expect(written).toEqual([]);
  log.flush();
  expect(written).toHaveLength(1);
  const lines = (written[0] ?? '').trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    {
      time: expect.stringMatching(/Z$/),
      event: 'request',
      method: 'GET',
      path: '/v2',
      status: 200,
      ms: 1.235,
      bytes_in: 0,
      bytes_out: 2,
    },
    expect.objectContaining({ status: 404, path: '/\\u{1b}[2J\\u{a}' }),
  ]);
});

test('over the limit lines are left out and counted, refusals apart from successes', () => {
  const written: string[] = [];
  const log = new AccessLog({ write: (text) => written.push(text), linesPerSecond: 3 });
  for (let turn = 0; turn < 1000; turn++) {
    for (const status of [200, 429]) if (log.wants(status)) log.request({ ...entry, status });
  }
  log.flush();
  const lines = written
    .join('')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { status: number; skipped?: number });
  // A second may end in between.
  expect(lines.length).toBeGreaterThanOrEqual(6);
  expect(lines.length).toBeLessThan(100);
  expect(new Set(lines.map(({ status }) => status))).toEqual(new Set([200, 429]));
});
