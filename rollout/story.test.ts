import { expect, test } from 'vitest';
import type { MetricEvidence } from './analysis-verdict.ts';
import type { Analysed } from './analyst.ts';
import type { Turn } from './live-rollout.ts';
import { firstRecord } from './state/claim.ts';
import type { RolloutRecord } from './state/record.ts';
import { RolloutStory } from './story.ts';

const start = 1_700_000_000_000;
const begun = firstRecord({ id: 'r', holder: 'h', plan: 'p', now: start, lease: 60_000 });

const evidence = (metric: string, logEvidence: number, threshold = 5): MetricEvidence => ({
  metric,
  says: 'unsettled',
  logEvidence,
  threshold,
  canary: { requests: 10, events: 0 },
  baseline: { requests: 10, events: 0 },
  message: 'm',
});

function at(weight: number, more: Partial<RolloutRecord> = {}): RolloutRecord {
  return { ...begun, phase: 'step', traffic: { canaryWeight: weight, mirrorPercent: 0 }, ...more };
}

function look(second: number, weight: number, more: Partial<Analysed> = {}, record = at(weight)): Turn {
  return {
    at: start + second * 1000,
    record,
    before: at(weight),
    messages: [],
    analysed: {
      verdict: 'hold',
      metrics: [evidence('errors', 1.7), evidence('latency', 0.25)],
      requests: { canary: 1, baseline: 1 },
      state: null,
      remarks: [],
      ...more,
    },
  };
}

test('says a line at the first look: when, how much, what, and how near to a rollback', () => {
  expect(new RolloutStory().tell(look(750, 25))).toBe('12m 30s · 25 % · hold · errors 34 % of a rollback, latency 5 %');
});

test('says no line for looks alike, but one a minute, and one when anything changes', () => {
  const story = new RolloutStory();
  const lines = [0, 5, 10, 59, 60, 65].map((second) => story.tell(look(second, 5)));
  expect(lines.map((line) => line !== undefined)).toEqual([true, false, false, false, true, false]);
  expect(story.tell(look(70, 25))).toMatch(/25 %/);
  expect(story.tell(look(71, 25, { verdict: 'advance' }))).toMatch(/advance/);
});

test('names the phase where it is no step, and the remarks, a few of them', () => {
  const told = new RolloutStory().tell(
    look(1, 5, { metrics: [], remarks: ['a pod restarted', 'b', 'c', 'd'] }, at(5, { phase: 'paused' })),
  );
  expect(told).toBe('1s · paused 5 % · hold · a pod restarted, b, c');
});

test('lets nothing of a metric name reach a terminal', () => {
  const name = 'reward/\u001b[2Jx\n::error::y';
  const story = new RolloutStory();
  expect(story.tell(look(1, 5, { metrics: [evidence(name, 1)] }))).toContain('reward/\\u{1b}[2Jx\\u{a}::error::y');
  expect(story.figure()?.evidence[0]?.name).not.toContain('\u001b');
});

test('draws what was seen: weights as they were while it was, evidence as a share, messages', () => {
  const story = new RolloutStory();
  const { analysed: _, ...quiet } = look(0, 0);
  story.tell({ ...quiet, messages: [{ text: 'It begins.', warn: false }] });
  story.tell({ ...look(5, 5), record: at(25) });
  story.tell(look(10, 25, { metrics: [evidence('errors', 6), evidence('agreement', 1)] }));
  expect(story.figure()).toEqual({
    kind: 'rollout',
    id: 'rollout',
    title: 'The rollout',
    seconds: [5, 10],
    weight: [5, 25],
    evidence: [
      { name: 'errors', share: [expect.closeTo(0.34), 1.2] },
      { name: 'latency', share: [0.05, 0] },
      { name: 'agreement', share: [0, 0.2] },
    ],
    events: [{ seconds: 0, text: 'It begins.' }],
  });
  expect(story.analysed?.metrics).toHaveLength(2);
});

test('keeps a drawing finite whatever the evidence is', () => {
  const story = new RolloutStory();
  const odd = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, 1e9].map((log, index) =>
    evidence(`m${index}`, log),
  );
  story.tell(look(1, 5, { metrics: [...odd, evidence('none', 1, 0)] }));
  expect(story.figure()?.evidence.map(({ share }) => share[0])).toEqual([10, 0, 0, 10, 0]);
});

test('draws a day of looks with a few hundred points, the first and the last among them', () => {
  const story = new RolloutStory();
  for (let second = 0; second <= 86_400; second += 5) story.tell(look(second, 5));
  const { seconds = [] } = story.figure() ?? {};
  expect([seconds.length, seconds[0], seconds.at(-1)]).toEqual([400, 0, 86_400]);
});

test('draws nothing where nothing happened', () => {
  expect(new RolloutStory().figure()).toBeUndefined();
});
