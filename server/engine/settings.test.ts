import { expect, test } from 'vitest';
import { InputError } from '../../core/problem/index.ts';
import { defaultConfig } from '../repository/index.ts';
import { automaticWorkers, checkSettings, defaultSettings, settingsOf } from './settings.ts';

test('what is given for a model wins over its configuration, which wins over the server, which wins over the defaults', () => {
  expect(settingsOf(defaultConfig, {}, undefined)).toEqual(defaultSettings);
  const config = { ...defaultConfig, maxBatchSize: 0, maxQueueDelayUs: 100 };
  expect(settingsOf(config, { maxBatchSize: 8, timeoutMs: 5 }, { maxQueueDelayUs: 7 })).toEqual({
    ...defaultSettings,
    maxBatchSize: 1,
    maxQueueDelayUs: 7,
    timeoutMs: 5,
  });
});

test('settings in range are taken', () => {
  checkSettings(undefined, 'settings');
  checkSettings(defaultSettings, 'settings');
  checkSettings({ workers: 0, cacheTtlSeconds: 0.5 }, 'settings');
});

test('every setting that is out of range is told at once', () => {
  const bad = { maxBatchSize: 0, maxQueueSize: 1.5, timeoutMs: Number.NaN, workers: -1 };
  expect(() => checkSettings(bad, 'settings of churn')).toThrow(InputError);
  expect(() => checkSettings(bad, 'settings of churn')).toThrow(
    /maxBatchSize in the settings of churn is out of range: found 0.*\n.*maxQueueSize.*1\.5.*\n.*timeoutMs.*NaN.*\n.*workers.*-1/,
  );
});

test('a large model gets one thread, and any model at least one', () => {
  expect(automaticWorkers(1024 ** 3)).toBe(1);
  expect(automaticWorkers(1)).toBeGreaterThanOrEqual(1);
  expect(automaticWorkers(1)).toBeLessThanOrEqual(4);
});
