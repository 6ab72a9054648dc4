import { sageMakerProblem } from '../../constructs/aws/index.ts';
import { durationMs } from '../../core/policy/index.ts';
import type { Problem } from '../../core/problem/index.ts';
import type { TransformConfig } from './batch-schema.ts';
import type { PlaceBelow } from './place-below.ts';

/** What is wrong with a batch transform whose every value is right by itself. */
export function batchContradictions(config: TransformConfig, at: PlaceBelow): readonly Problem[] {
  const { default_model: defaultModel, max_payload_mb: payload = 6, max_concurrent: concurrent = 1 } = config;
  const { split = defaultModel === undefined ? 'line' : 'none', join, schedule, timeout } = config;
  const { content_type: contentType = defaultModel === undefined ? 'text/csv' : 'application/json' } = config;
  const unknown = sageMakerProblem('instance_type', config.instance_type, 'transform');
  const problems: Problem[] = unknown === undefined ? [] : [{ ...unknown, place: at('instance_type') }];
  if (defaultModel !== undefined && split !== 'none') {
    problems.push({
      code: 'triton-takes-whole-files',
      message: 'a Triton image takes a file as one request of the Open Inference Protocol',
      place: at('split'),
      found: split,
      expected: 'none',
      fix: 'Leave split out; or default_model, of an image that is none of Triton.',
    });
  }
  if (payload === 0 && split !== 'none') {
    problems.push({
      code: 'no-bound-of-lines',
      message: 'max_payload_mb is 0, no bound, which SageMaker takes for whole files only',
      place: at('max_payload_mb'),
      found: `0 with split: ${split}`,
      fix: 'Set split: none, or a bound.',
    });
  }
  if (payload * concurrent > 100) {
    problems.push({
      code: 'payload-too-large',
      message: 'max_concurrent requests of max_payload_mb are more than a container takes',
      place: at('max_concurrent'),
      found: `${concurrent} of ${payload} MB`,
      expected: 'at most 100 MB together',
      fix: 'Lower one of them.',
    });
  }
  if (join !== undefined && !/csv|json/i.test(contentType)) {
    problems.push({
      code: 'join-of-other-data',
      message: 'join is given for data that SageMaker cannot take apart',
      place: at('join'),
      found: contentType,
      expected: 'text/csv, application/json or application/jsonlines',
      fix: 'Leave join out.',
    });
  }
  const hours = timeout === undefined ? 24 : (durationMs(timeout) ?? Number.NaN) / 3_600_000;
  if (hours < 1 / 6 || hours > 120) {
    problems.push({
      code: 'timeout-out-of-range',
      message: 'SageMaker stops a job after five days, and no job starts and ends within ten minutes',
      place: at('timeout'),
      found: timeout ?? '',
      expected: 'from 10m to 120h',
      fix: 'Share the files out among several folders for longer.',
    });
  }
  if (schedule?.time_zone !== undefined && schedule.when.startsWith('rate')) {
    problems.push({
      code: 'zone-of-a-rate',
      message: 'a rate knows no time of day, so a time zone says nothing',
      place: at('schedule', 'time_zone'),
      found: `${schedule.when} in ${schedule.time_zone}`,
      fix: 'Leave time_zone out, or write a cron.',
    });
  }
  return problems;
}
