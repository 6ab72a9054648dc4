import { describe, expect, test } from 'vitest';
import { analysisSettings, openAnalysis } from '../../analysis/index.ts';
import type { Reading, SeriesCounts } from '../../metrics-source.ts';
import { SimulatedTraffic, trafficShapes } from '../../simulation/index.ts';
import { recordText } from '../../state/record.ts';
import { roomInTags } from './tag-record.ts';

/** What an endpoint's two variants show in two hours, looked at every minute as CloudWatch has it; its edges, no predictions. */
function stateAfter(minutes: number): unknown {
  const shape = trafficShapes.find(({ name }) => name === 'healthy') ?? trafficShapes[0];
  if (shape === undefined) throw new Error('there is no shape of traffic');
  const traffic = new SimulatedTraffic(shape, 'tags');
  const analyst = openAnalysis(analysisSettings({ latency: { sloMs: 100 } }))(undefined);
  let state: unknown;
  for (let index = 0; index <= minutes; index++) {
    if (index > 0) traffic.advance(60, (index - 1) * 60, 10);
    const at = 1_700_000_000_000 + index * 60_000;
    const reading = traffic.read(at);
    const plain = (series: readonly SeriesCounts[]) => series.map(({ predictions: _, means: __, ...rest }) => rest);
    const shown: Reading = { ...reading, canary: plain(reading.canary), baseline: plain(reading.baseline) };
    const stage = { kind: 'step', index: 0, weight: 10, since: 1_700_000_000_000 } as const;
    state = analyst.look({ number: index + 1, at, stage, warmUp: false, reading: shown }).state;
  }
  return state;
}

describe('the evidence of errors and latency', () => {
  test('has room in the tags of an endpoint, two hours on', () => {
    const state = JSON.stringify(stateAfter(120));
    const rest = recordText({
      v: 1,
      id: 'r'.repeat(100),
      holder: 'h'.repeat(100),
      leaseUntil: 1_700_000_000_000,
      phase: 'rolling-back',
      traffic: { canaryWeight: 100, mirrorPercent: 0 },
      stage: 10,
      passed: 10,
      startedAt: 1_700_000_000_000,
      stageAt: 1_700_000_000_000,
      plan: 'p'.repeat(64),
      looks: 10_000,
      drifts: 3,
      reason: 'w'.repeat(300),
    });
    expect(rest.length).toBeLessThan(2000);
    expect(state.length + 2000).toBeLessThan(roomInTags);
  });
});
