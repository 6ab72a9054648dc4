import { describe, expect, it } from 'vitest';
import { argoDefaults, endArgo, measureArgo, startArgo, stepArgo } from './argo-rollouts.ts';
import { alarmDefaults, alarmState, guardrail } from './cloudwatch-alarm.ts';
import { flaggerDefaults, startFlagger, stepFlagger } from './flagger.ts';
import { classifyKayenta, mannWhitney } from './kayenta.ts';

describe("Flagger's rule", () => {
  const run = (rates: readonly (number | undefined)[], settings = flaggerDefaults) =>
    rates.reduce((state, rate) => stepFlagger(state, settings, rate), startFlagger(settings));

  it('advances by steps while checks pass, and promotes at the highest weight', () => {
    expect(run([0, 0, 0, 0]).weight).toBeCloseTo(0.5, 12);
    expect(run([0, 0, 0, 0, 0])).toMatchObject({ weight: 1, phase: 'promoted' });
  });

  it('rolls back an interval after as many failed checks as the threshold says, of which no values is one', () => {
    expect(run([0.02]).phase).toBe('progressing');
    expect(run([0.02, 0]).phase).toBe('rolled back');
    expect(run([undefined, 0]).phase).toBe('rolled back');
    const patient = { ...flaggerDefaults, threshold: 2 };
    expect(run([0.02, 0, 0, 0.02, 0], patient)).toMatchObject({ weight: 0, phase: 'rolled back' });
  });
});

describe("Argo Rollouts' rule", () => {
  it('fails on more failures than the limit, pauses on inconclusive ones, and gives up on errors in a row', () => {
    expect(stepArgo(startArgo, argoDefaults, 'Failed').phase).toBe('Failed');
    expect(stepArgo(startArgo, { ...argoDefaults, failureLimit: 1 }, 'Failed').phase).toBe('Running');
    expect(stepArgo(startArgo, argoDefaults, 'Inconclusive').phase).toBe('Inconclusive');
    let state = startArgo;
    for (let error = 0; error < 4; error++) state = stepArgo(state, argoDefaults, measureArgo(undefined, 0.01));
    expect(state.phase).toBe('Running');
    expect(stepArgo(state, argoDefaults, 'Error').phase).toBe('Error');
    expect(stepArgo(stepArgo(state, argoDefaults, 'Successful'), argoDefaults, 'Error').phase).toBe('Running');
  });

  it('succeeds by count, and also if it is ended before it measured anything', () => {
    expect(stepArgo(startArgo, { ...argoDefaults, count: 1 }, measureArgo(0.01, 0.01)).phase).toBe('Successful');
    expect(endArgo(startArgo).phase).toBe('Successful');
  });
});

describe("CloudWatch's alarm", () => {
  it('needs M of the last N datapoints', () => {
    const settings = { ...alarmDefaults, datapointsToAlarm: 2, evaluationPeriods: 3 };
    expect(alarmState([0.02, 0, 0.02], settings, 'OK')).toBe('ALARM');
    expect(alarmState([0.02, 0, 0, 0.02], settings, 'OK')).toBe('OK');
  });

  it('treats missing data as told', () => {
    const point = [undefined];
    expect(alarmState(point, alarmDefaults, 'OK')).toBe('INSUFFICIENT_DATA');
    expect(alarmState(point, { ...alarmDefaults, missing: 'breaching' }, 'OK')).toBe('ALARM');
    expect(alarmState(point, { ...alarmDefaults, missing: 'notBreaching' }, 'ALARM')).toBe('OK');
    expect(alarmState(point, { ...alarmDefaults, missing: 'ignore' }, 'ALARM')).toBe('ALARM');
  });

  it('rolls back while baking and shifts after it, also without data', () => {
    expect(guardrail('ALARM', 600, 600)).toBe('rollback');
    expect(guardrail('INSUFFICIENT_DATA', 600, 600)).toBe('shift');
    expect(guardrail('OK', 300, 600)).toBe('bake');
  });
});

describe("Kayenta's rule", () => {
  const steady = Array.from({ length: 30 }, (_, index) => 10 + Math.sin(index * 1.7));
  const raised = steady.map((value, index) => value + 5 + Math.cos(index));

  it('has the median of the pairwise differences as its estimate, inside its interval', () => {
    const pairs = raised.flatMap((one) => steady.map((other) => one - other)).sort((one, other) => one - other);
    const median = ((pairs[449] ?? 0) + (pairs[450] ?? 0)) / 2;
    const { estimate, lower, upper } = mannWhitney(raised, steady, 0.98);
    expect(estimate).toBeCloseTo(median, 2);
    expect(lower).toBeLessThan(estimate);
    expect(upper).toBeGreaterThan(estimate);
    // Order statistics of the pairwise differences at the normal quantile: the interval's definition.
    const half = 2.3263 * Math.sqrt((30 * 30 * 61) / 12);
    expect(lower).toBeCloseTo(pairs[Math.round(450 - half - 0.5)] ?? Number.NaN, 1);
    expect(upper).toBeCloseTo(pairs[Math.round(450 + half - 0.5)] ?? Number.NaN, 1);
  });

  it('calls a clear increase High, and equal, constant or reversed series Pass', () => {
    expect(classifyKayenta(raised, steady)).toBe('High');
    expect(classifyKayenta(steady, steady)).toBe('Pass');
    expect(classifyKayenta([0, 0, 0], [0, 0])).toBe('Pass');
    expect(classifyKayenta(steady, raised)).toBe('Pass');
    expect(classifyKayenta([], steady)).toBe('Nodata');
  });
});
