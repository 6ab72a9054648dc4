/**
 * The questions of core/telemetry, asked of Prometheus' own parser and engine: they parse, and their numbers are right.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  errorRatio,
  gpuMemoryUsed,
  gpuUtilization,
  isNoQuery,
  latencyQuantile,
  meanBatchRows,
  meanLatency,
  meanQueueTime,
  type NoQuery,
  type Query,
  type QueryScope,
  queueQuantile,
  quoted,
  requestRate,
  requestsInFlight,
  requestsQueued,
  type ServingProfile,
  servingMetrics,
  servingProfileNames,
  servingProfiles,
  shareWithin,
  tokenCacheUsed,
  tokenRate,
  tokenTimeQuantile,
} from '../../core/telemetry/index.ts';
import { promtoolBinary } from '../prometheus/prometheus-binary.ts';

const run = promisify(execFile);
const { predictions, latency } = servingMetrics;
const { sluice, triton, torchserve, kserve, istio, vllm, tgi } = servingProfiles;

let promtool = '';
let folder = '';

beforeAll(async () => {
  promtool = await promtoolBinary();
  folder = mkdtempSync(join(tmpdir(), 'sluice-promql-'));
  // Building Prometheus takes minutes, once.
}, 1_800_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What promtool says of a file; empty when all is well. */
async function promtoolSays(what: 'check' | 'test', content: unknown): Promise<string> {
  const file = join(folder, `${what}-${Math.random().toString(36).slice(2)}.yml`);
  // JSON is YAML; what YAML wants escaped and JSON does not is escaped too.
  writeFileSync(
    file,
    JSON.stringify(content).replace(
      /[\u007f-\ud7ff\ue000-\uffff]/g,
      (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
    ),
  );
  try {
    await run(promtool, [what, 'rules', file]);
    return '';
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as Error & { stdout?: string; stderr?: string };
    return `${stdout}${stderr}` || message;
  }
}

function checkRules(expressions: readonly string[]): Promise<string> {
  const rules = expressions.map((expr, index) => ({ record: `question:${index}`, expr }));
  return promtoolSays('check', { groups: [{ name: 'questions', rules }] });
}

/** One series and its values at every 15 s, in promtool's notation. */
type InputSeries = readonly [series: string, values: string];
/** Labels as `{a="b"}` and the value. */
type Answer = readonly [labels: string, value: number];

/** Asks a question ten minutes after the series began. */
function ask(query: Query | NoQuery, series: readonly InputSeries[], answers: readonly Answer[]): Promise<string> {
  if (isNoQuery(query)) return Promise.resolve(query.reason);
  return promtoolSays('test', {
    fuzzy_compare: true,
    tests: [
      {
        interval: '15s',
        input_series: series.map(([name, values]) => ({ series: name, values })),
        promql_expr_test: [
          {
            expr: query.expr,
            eval_time: '10m',
            exp_samples: answers.map(([labels, value]) => ({ labels, value })),
          },
        ],
      },
    ],
  });
}

/** Every question there is, in a scope. */
function everyQuestion(profile: ServingProfile, scope: QueryScope): readonly string[] {
  return [
    requestRate(profile, scope),
    errorRatio(profile, scope),
    errorRatio(profile, scope, { faults: ['client', 'server', 'unclear'] }),
    errorRatio(profile, scope, { faults: ['client'], scope: 'server' }),
    latencyQuantile(profile, 0.95, scope),
    latencyQuantile(profile, 0.95, scope, { native: true }),
    queueQuantile(profile, 0.5, scope),
    shareWithin(profile, 0.25, scope),
    shareWithin(profile, 0.3, scope, { native: true }),
    shareWithin(profile, 0.3, scope, { buckets: [0.1, 0.3] }),
    meanLatency(profile, scope),
    meanQueueTime(profile, scope),
    meanBatchRows(profile, scope),
    requestsInFlight(profile, scope),
    requestsQueued(profile, scope),
    gpuUtilization(profile, scope),
    gpuMemoryUsed(profile, scope),
    tokenRate(profile, 'prompt', scope),
    tokenCacheUsed(profile, scope),
    tokenTimeQuantile(profile, 'timeToFirst', 0.95, scope),
    tokenTimeQuantile(profile, 'between', 0.95, scope),
  ].flatMap((query) => (isNoQuery(query) ? [] : [query.expr]));
}

const churn: QueryScope = { selector: { model: 'churn', version: '3' }, window: '5m' };

describe("Prometheus' parser", () => {
  test.each(servingProfileNames)('takes every question about %s', async (name) => {
    const profile = servingProfiles[name];
    const scopes: readonly QueryScope[] = [
      { window: '5m' },
      { window: 90, by: ['version', 'pod', 'namespace'] },
      { window: 0.5, selector: { version: { anyOf: ['1.0', '2|3'] }, namespace: { not: '' }, pod: 'x' } },
      ...(profile.labels.model === undefined ? [] : [{ ...churn, by: ['model', 'version'] as const }]),
    ];
    const questions = scopes.flatMap((scope) => everyQuestion(profile, scope));
    expect(questions.length).toBeGreaterThan(15);
    expect(await checkRules(questions)).toBe('');
  });

  test('would not take a question that is none', async () => {
    expect(await checkRules(['sum(rate(x[5m])'])).toContain('parse error');
  });

  test('finds exactly the series whose label has the value asked for, whatever the value', async () => {
    const hostile = [
      '"',
      '\\',
      '"} or vector(9)',
      '\n',
      '\\"',
      'a|b',
      '.*',
      '$1',
      '`',
      '\u0000',
      '\u2028',
      '🦥',
      '\\n',
      '{{x}}',
      "'",
    ];
    const texts = fc.sample(fc.string({ unit: 'grapheme', maxLength: 12 }), { numRuns: 60, seed: 7 });
    const values = [...new Set([...hostile, ...texts])].filter(
      (value) => value !== '' && !/\p{Surrogate}/u.test(value),
    );
    const tests = values.map((value, index) => {
      const query = requestRate(sluice, { selector: { model: value, version: { anyOf: [value] } }, window: '5m' });
      return {
        expr: isNoQuery(query) ? '' : query.expr,
        eval_time: '10m',
        exp_samples: [{ labels: '{}', value: index + 1 }],
      };
    });
    const series = values.map((value, index) => ({
      series: `${predictions.name}{model_name=${quoted(value)},model_version=${quoted(value)}}`,
      values: `0+${(index + 1) * 15}x50`,
    }));
    expect(
      await promtoolSays('test', {
        fuzzy_compare: true,
        tests: [{ interval: '15s', input_series: series, promql_expr_test: tests }],
      }),
    ).toBe('');
  });
});

describe("Prometheus' engine", () => {
  const sluiceLabels = 'model_name="churn",model_version="3"';
  const counted = (status: string, each: number): InputSeries => [
    `${predictions.name}{${sluiceLabels},status="${status}",pod="a"}`,
    `0+${each}x50`,
  ];

  test("answers the share of errors without the client's", async () => {
    const series = [counted('ok', 85), counted('error', 4), counted('timeout', 1), counted('invalid_input', 10)];
    expect(await ask(errorRatio(sluice, churn), series, [['{}', 0.05]])).toBe('');
    expect(await ask(errorRatio(sluice, churn, { faults: ['client'] }), series, [['{}', 0.1]])).toBe('');
    expect(await ask(requestRate(sluice, churn), series, [['{}', 100 / 15]])).toBe('');
  });

  test('answers zero when no series of errors exists, and nothing when there is no traffic', async () => {
    expect(await ask(errorRatio(istio, churn), [], [])).toBe('');
    expect(await ask(errorRatio(sluice, churn), [counted('ok', 5)], [['{}', 0]])).toBe('');
    expect(await ask(errorRatio(sluice, churn), [counted('ok', 0), counted('error', 0)], [])).toBe('');
    expect(await ask(meanLatency(sluice, churn), [counted('ok', 5)], [])).toBe('');
  });

  test('answers for each version', async () => {
    const series: readonly InputSeries[] = ['2', '3'].flatMap((version): readonly InputSeries[] => [
      [`${predictions.name}{model_name="churn",model_version="${version}",status="ok"}`, '0+10x50'],
      [`${predictions.name}{model_name="churn",model_version="${version}",status="error"}`, `0+${version}x50`],
    ]);
    const query = errorRatio(sluice, { selector: { model: 'churn' }, window: '5m', by: ['version'] });
    const answers: readonly Answer[] = [
      ['{model_version="2"}', 2 / 12],
      ['{model_version="3"}', 3 / 13],
    ];
    expect(await ask(query, series, answers)).toBe('');
  });

  test('adds up counters that split requests, of which some have the same labels and some are not there', async () => {
    const success: InputSeries = ['nv_inference_request_success{model="churn",version="3"}', '0+30x50'];
    const failure: InputSeries = ['nv_inference_request_failure{model="churn",version="3"}', '0+15x50'];
    const reasons: readonly InputSeries[] = ['BACKEND', 'CANCELED'].map((reason) => [
      `nv_inference_request_failure{model="churn",version="3",reason="${reason}"}`,
      '0+15x50',
    ]);
    expect(await ask(requestRate(triton, churn), [success], [['{}', 2]])).toBe('');
    expect(await ask(requestRate(triton, churn), [success, failure], [['{}', 3]])).toBe('');
    expect(await ask(requestRate(triton, churn), [success, ...reasons], [['{}', 4]])).toBe('');
    expect(await ask(errorRatio(triton, churn), [success, ...reasons], [['{}', 0.25]])).toBe('');
    expect(await ask(errorRatio(triton, churn), [success], [['{}', 0]])).toBe('');
  });

  test('answers the errors of a whole server', async () => {
    const series: readonly InputSeries[] = [
      ['Requests2XX{Level="Host"}', '0+6x50'],
      ['Requests4XX{Level="Host"}', '0+2x50'],
      ['Requests5XX{Level="Host"}', '0+2x50'],
    ];
    expect(
      await ask(errorRatio(torchserve, { selector: { model: 'churn' }, window: '5m' }), series, [['{}', 0.2]]),
    ).toBe('');
  });

  test('answers quantiles and shares in seconds, from buckets in any unit and any spelling', async () => {
    const bucket = (name: string, labels: string, le: string, each: number): InputSeries => [
      `${name}_bucket{${labels},le="${le}"}`,
      `0+${each}x50`,
    ];
    const kserveLabels = 'model_name="churn",sluice_dev_model_version="3"';
    for (const one of ['1', '1.0']) {
      const series = [
        bucket('request_predict_seconds', kserveLabels, '0.75', 10),
        bucket('request_predict_seconds', kserveLabels, one, 30),
        bucket('request_predict_seconds', kserveLabels, '+Inf', 40),
        [`request_predict_seconds_count{${kserveLabels}}`, '0+40x50'] as const,
      ];
      expect(await ask(shareWithin(kserve, 1, churn), series, [['{}', 0.75]])).toBe('');
      expect(await ask(shareWithin(kserve, 0.9, churn), series, [['{}', 0.25]])).toBe('');
      expect(await ask(latencyQuantile(kserve, 0.5, churn), series, [['{}', 0.875]])).toBe('');
    }
    const istioLabels = 'reporter="destination",destination_service_name="churn",destination_version="3"';
    const name = 'istio_request_duration_milliseconds';
    const series = [
      bucket(name, istioLabels, '100', 0),
      bucket(name, istioLabels, '250', 10),
      bucket(name, istioLabels, '+Inf', 10),
      [`${name}_count{${istioLabels}}`, '0+10x50'] as const,
      [`${name}_sum{${istioLabels}}`, '0+2000x50'] as const,
    ];
    expect(await ask(latencyQuantile(istio, 0.5, churn), series, [['{}', 0.175]])).toBe('');
    expect(await ask(shareWithin(istio, 0.25, churn), series, [['{}', 1]])).toBe('');
    expect(await ask(meanLatency(istio, churn), series, [['{}', 0.2]])).toBe('');
  });

  test('answers from native histograms', async () => {
    // Schema 0: buckets end at powers of two; here (1, 2] and (2, 4].
    const series: readonly InputSeries[] = [
      [
        `${latency.name}{${sluiceLabels}}`,
        '{{schema:0 sum:0 count:0 offset:1 buckets:[0 0]}}+{{schema:0 sum:6 count:4 offset:1 buckets:[3 1]}}x50',
      ],
    ];
    expect(await ask(shareWithin(sluice, 2, churn, { native: true }), series, [['{}', 0.75]])).toBe('');
    expect(await ask(latencyQuantile(sluice, 0.75, churn, { native: true }), series, [['{}', 2]])).toBe('');
  });

  test('answers means of sums, batches, levels and tokens', async () => {
    const labels = 'model="churn",version="3"';
    const series: readonly InputSeries[] = [
      [`nv_inference_request_success{${labels}}`, '0+30x50'],
      [`nv_inference_request_duration_us{${labels}}`, '0+60000x50'],
      [`nv_inference_queue_duration_us{${labels}}`, '0+30000x50'],
      [`nv_inference_count{${labels}}`, '0+240x50'],
      [`nv_inference_exec_count{${labels}}`, '0+30x50'],
      [`nv_inference_pending_request_count{${labels},pod="a"}`, '3x50'],
      [`nv_inference_pending_request_count{${labels},pod="b"}`, '4x50'],
    ];
    expect(await ask(meanLatency(triton, churn), series, [['{}', 0.002]])).toBe('');
    expect(await ask(meanQueueTime(triton, churn), series, [['{}', 0.001]])).toBe('');
    expect(await ask(meanBatchRows(triton, churn), series, [['{}', 8]])).toBe('');
    expect(await ask(requestsQueued(triton, churn), series, [['{}', 7]])).toBe('');
    const tokens: readonly InputSeries[] = [['vllm:generation_tokens_total{model_name="llama"}', '0+1500x50']];
    expect(await ask(tokenRate(vllm, 'generated', { window: '5m' }), tokens, [['{}', 100]])).toBe('');
  });

  test("Text Generation Inference's failures by whose they are, and its bounds to the last digit", async () => {
    const job = 'job="writer"';
    const failed = (reason: string, each: number): InputSeries => [
      `tgi_request_failure{${job},err="${reason}"}`,
      `0+${each}x50`,
    ];
    const series: readonly InputSeries[] = [
      [`tgi_request_success{${job}}`, '0+80x50'],
      failed('overloaded', 4),
      failed('generation', 1),
      failed('validation', 10),
      failed('dropped', 5),
      [`tgi_request_duration_bucket{${job},le="0.49878850951194753"}`, '0+60x50'],
      [`tgi_request_duration_bucket{${job},le="+Inf"}`, '0+80x50'],
      [`tgi_request_duration_count{${job}}`, '0+80x50'],
    ];
    const scope: QueryScope = { selector: { labels: { job: 'writer' } }, window: '5m' };
    expect(await ask(errorRatio(tgi, scope), series, [['{}', 0.05]])).toBe('');
    expect(await ask(errorRatio(tgi, scope, { faults: ['client'] }), series, [['{}', 0.15]])).toBe('');
    expect(await ask(shareWithin(tgi, 0.5, scope), series, [['{}', 0.75]])).toBe('');
  });

  test('would not accept another number', async () => {
    expect(await ask(errorRatio(sluice, churn), [counted('ok', 9), counted('error', 1)], [['{}', 0.2]])).toContain(
      'FAILED',
    );
  });
});
