import { describe, expect, it } from 'vitest';
import { linearModel, type ModelToWrite, writeModel } from '../../core/onnx/index.ts';
import { headOnly, parsePolicy, stricterOf } from '../../core/policy/index.ts';
import { coldStartChecks, coldStartDemands } from './cold-start-gate.ts';
import { checkOf, judge } from './scene.ts';
import { judgeThroughput, throughputDemand } from './throughput-gate.ts';

const policyOf = (gates: string, end = '') =>
  `version: 1\nmodel: { path: model.onnx, baseline: none }\ngates: { ${gates} }\n${end}`;
const policy = (gates: string, end = '') => headOnly(parsePolicy(policyOf(gates, end), 'sluice.yaml'));
const square = (size: number) =>
  linearModel(
    Array.from({ length: size }, () => Array(size).fill(0.01)),
    Array(size).fill(0),
  );

describe('a model that is timed for real', () => {
  it('has its cold start, its memory and its throughput at every batch size', async () => {
    const gates = 'latency: { cold_start_ms: 60000, min_throughput: 1, hardware: any }, size: { max_memory_mb: 4000 }';
    const judgement = await judge({ policy: policyOf(gates), files: { 'model.onnx': square(50) } });
    expect(judgement.checks.map(({ id, status }) => [id, status])).toEqual([
      ['gate/latency/cold_start_ms', 'pass'],
      ['gate/size/max_memory_mb', 'pass'],
      ['gate/latency/min_throughput', 'pass'],
    ]);
    expect(checkOf(judgement, 'gate/latency/cold_start_ms').message).toMatch(/11 cold starts .* to load the model and/);
    const [figure] = judgement.figures;
    expect(figure).toMatchObject({
      id: 'throughput',
      bound: 1,
      rows: [{ name: '1 row' }, { name: '8 rows' }, { name: '32 rows' }, { name: '128 rows' }],
    });
  }, 60_000);

  it('has one batch size where it fixes it', async () => {
    const fixed: ModelToWrite = {
      graph: {
        nodes: [{ operator: 'Neg', inputs: ['X'], outputs: ['Y'] }],
        inputs: [{ name: 'X', type: 'float32', shape: [4, 2] }],
        outputs: [{ name: 'Y', type: 'float32', shape: [4, 2] }],
      },
    };
    const judgement = await judge({
      policy: policyOf('latency: { min_throughput: 1 }'),
      files: { 'model.onnx': writeModel(fixed) },
    });
    expect(checkOf(judgement, 'gate/latency/min_throughput')).toMatchObject({
      status: 'pass',
      message: expect.stringContaining('at 4 rows a call'),
    });
  });

  it('that does not run is an error of what is timed, and the facts are judged all the same', async () => {
    const broken: ModelToWrite = {
      graph: {
        nodes: [{ operator: 'Reshape', inputs: ['X', 'shape'], outputs: ['Y'] }],
        inputs: [{ name: 'X', type: 'float32', shape: ['batch', 3] }],
        outputs: [{ name: 'Y', type: 'float32', shape: ['?', '?'] }],
        initializers: [{ name: 'shape', type: 'int64', dims: [2], integers: [7, 7] }],
      },
    };
    const gates = 'latency: { p50_ms: 1, cold_start_ms: 1, min_throughput: 1 }, size: { max_mb: 1, max_memory_mb: 1 }';
    const judgement = await judge({ policy: policyOf(gates), files: { 'model.onnx': writeModel(broken) } });
    expect(Object.fromEntries(judgement.checks.map(({ id, status }) => [id, status]))).toEqual({
      'gate/latency/p50_ms': 'error',
      'gate/latency/cold_start_ms': 'error',
      'gate/latency/min_throughput': 'error',
      'gate/size/max_mb': 'pass',
      'gate/size/max_memory_mb': 'error',
    });
    expect(checkOf(judgement, 'gate/latency/p50_ms').message).toContain('could not run the model');
  });
});

describe('cold starts', () => {
  const start = (loadMs: number, megabytes: number) => ({
    loadMs,
    firstMs: 2,
    memoryBefore: 60e6,
    memoryPeak: 60e6 + megabytes * 1e6,
  });
  const gates = 'latency: { cold_start_ms: 100, hardware: rig }, size: { max_memory_mb: 50 }';
  const checks = (starts: readonly ReturnType<typeof start>[], of = policy(gates)) =>
    coldStartChecks(of, starts, of.policy.evidence ?? 0.9);

  it('are judged by their median, and memory by the most', () => {
    const starts = [...Array.from({ length: 10 }, (_, at) => start(80 + at, 20)), start(500, 60)];
    const [time, memory] = checks(starts);
    expect(time).toMatchObject({ status: 'pass', observed: 87 });
    expect(memory).toMatchObject({ status: 'fail', observed: 60 });
    expect(memory?.message).toContain('120 MB at its peak');
  });

  it('claim no median from a few', () => {
    const [time, memory] = checks([start(80, 20), start(80, 20)]);
    expect([time?.status, memory?.status]).toEqual(['inconclusive', 'pass']);
    expect(time?.message).toContain('fewer than 11');
  });

  it('only warn of milliseconds where no hardware is named', () => {
    const slow = Array.from({ length: 11 }, () => start(300, 20));
    expect(checks(slow)[0]?.status).toBe('fail');
    expect(checks(slow, policy('latency: { cold_start_ms: 100 }'))[0]?.status).toBe('warn');
    expect(coldStartDemands(policy('latency: { p95_ms: 100 }'))).toEqual([]);
  });
});

describe('throughput', () => {
  const of = policy('latency: { min_throughput: 1000, hardware: rig }');
  const judgeOf = (times: Readonly<Record<number, readonly number[]>>, level: number | 'off' = 0.9) => {
    const demand = throughputDemand(of);
    if (demand === undefined) throw new RangeError('nothing is asked');
    const measured = Object.entries(times).map(([batch, ms]) => ({ batch: Number(batch), ms }));
    return judgeThroughput(of, demand, measured, { level, seed: 'x' });
  };
  const about = (ms: number) => Array.from({ length: 30 }, (_, at) => ms * (1 + 0.01 * (at % 5)));

  it('is that of the best batch size', () => {
    const { checks, figures } = judgeOf({ 1: about(2), 32: about(16), 128: about(100) });
    expect(checks[0]).toMatchObject({ status: 'pass', observed: expect.closeTo(32_000 / 16.32, 0) });
    expect(checks[0]?.message).toContain('at 32 rows a call');
    expect(figures[0]).toMatchObject({ kind: 'intervals', bound: 1000 });
    expect(judgeOf({ 1: about(2) }).checks[0]?.status).toBe('fail');
  });

  it('is surer of each the more batch sizes there are', () => {
    const level = (checks: ReturnType<typeof judgeOf>['checks']) => checks[0]?.evidence?.level;
    expect(level(judgeOf({ 1: about(0.5) }).checks)).toBeCloseTo(0.9);
    expect(level(judgeOf({ 1: about(0.5), 8: about(9) }).checks)).toBeCloseTo(0.95);
  });

  it('is not claimed from a few rounds', () => {
    expect(judgeOf({ 1: [1, 1, 1] }).checks[0]?.status).toBe('inconclusive');
  });
});

it('a pull request cannot shorten the time, raise a bound or take it away', () => {
  const base = parsePolicy(
    policyOf('latency: { cold_start_ms: 100, min_throughput: 500, time_budget: 90s }, size: { max_memory_mb: 50 }'),
    'p',
  );
  const head = parsePolicy(
    policyOf('latency: { cold_start_ms: 200, time_budget: 1s }, size: { max_memory_mb: 500 }'),
    'p',
  );
  expect(stricterOf(base, head).policy.gates).toEqual({
    latency: { cold_start_ms: 100, min_throughput: 500, time_budget: '90s' },
    size: { max_memory_mb: 50 },
  });
});
