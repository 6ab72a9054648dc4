import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { analysisSettings, openAnalysis, parseLooks, replay } from './analysis/index.ts';
import type { Analyst, Look } from './analyst.ts';
import type { Turn } from './live-rollout.ts';
import { LookLog } from './look-log.ts';
import { firstRecord } from './state/claim.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-looks-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const settings = analysisSettings();
const record = firstRecord({ id: 'r', holder: 'h', plan: 'p', now: 0, lease: 60_000 });

function turn(number: number, analyst: Analyst, state?: unknown): Turn {
  const at = number * 5000;
  const look: Look = {
    number,
    at,
    stage: { kind: 'step', index: 0, weight: 50, since: 0 },
    warmUp: false,
    reading: {
      canary: [{ id: 'c', requests: 100 * number, errors: 40 * number, at }],
      baseline: [{ id: 'b', requests: 100 * number, errors: 0, at }],
      remarks: [],
    },
  };
  const before = {
    ...record,
    ...(state === undefined ? {} : { analysis: state as NonNullable<typeof record.analysis> }),
  };
  return { at, record, before, messages: [], look, analysed: analyst.look(look) };
}

test('writes what a run saw, also of a run that goes on with it, so that every decision can be replayed', async () => {
  const file = join(directory, 'deep', 'er', 'r.looks.jsonl');
  const first = openAnalysis(settings)(undefined);
  const one = new LookLog(file, settings, () => expect.fail('trouble'));
  const turns = [1, 2, 3].map((number) => turn(number, first));
  for (const item of turns) await one.add(item);

  const state = turns.at(-1)?.analysed?.state;
  const next = openAnalysis(settings)(state);
  const two = new LookLog(file, settings, () => expect.fail('trouble'));
  for (const number of [4, 5]) await two.add(turn(number, next, state));

  const looks = replay(parseLooks(await readFile(file, 'utf8'), file));
  expect(looks.map(({ number, differences }) => [number, differences])).toEqual([1, 2, 3, 4, 5].map((n) => [n, []]));
});

test('writes nothing for a turn without a look', async () => {
  const log = new LookLog(join(directory, 'looks.jsonl'), settings, () => expect.fail('trouble'));
  await log.add({ at: 0, record, before: record, messages: [] });
  await expect(readFile(join(directory, 'looks.jsonl'))).rejects.toThrow('ENOENT');
});

test('tells once that a file cannot be written, and lets the rollout go on', async () => {
  await writeFile(join(directory, 'file'), '');
  const told: string[] = [];
  const log = new LookLog(join(directory, 'file', 'looks.jsonl'), settings, (message) => told.push(message));
  const analyst = openAnalysis(settings)(undefined);
  for (const number of [1, 2]) await log.add(turn(number, analyst));
  expect(told).toEqual([expect.stringMatching(/^The looks cannot be recorded: /)]);
});
