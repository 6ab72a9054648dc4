import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  errorRatio,
  gpuMemoryUsed,
  isNoQuery,
  latencyQuantile,
  meanBatchRows,
  meanLatency,
  meanQueueTime,
  type NoQuery,
  type Query,
  type QueryScope,
  requestRate,
  requestsQueued,
  servingProfileNames,
  servingProfiles,
  shareWithin,
  tokenRate,
  tokenTimeQuantile,
} from './index.ts';
import { boundTexts, rangeText } from './promql-text.ts';

const { sluice, triton, torchserve, vllm, tgi, kserve, mlserver, istio, http } = servingProfiles;
const churn: QueryScope = { selector: { model: 'churn', version: '3' }, window: '5m' };

function expr(query: Query | NoQuery): string {
  return query.expr ?? `none: ${query.reason}`;
}

describe('questions in PromQL', () => {
  test('the rate of requests of a version', () => {
    expect(expr(requestRate(sluice, churn))).toBe(
      'sum(rate(model_prediction_total{model_name="churn",model_version="3"}[5m]))',
    );
  });

  test('counters that split requests are put together even while one of them has no series', () => {
    expect(expr(requestRate(triton, { ...churn, by: ['version'] }))).toBe(
      'sum by (version) (label_replace(rate(nv_inference_request_success{model="churn",version="3"}[5m]), "sluice_series", "nv_inference_request_success", "", "") or ' +
        'label_replace(rate(nv_inference_request_failure{model="churn",version="3"}[5m]), "sluice_series", "nv_inference_request_failure", "", ""))',
    );
  });

  test("an error ratio leaves the client's faults out, has zero without errors and no answer without traffic", () => {
    const all = 'sum(rate(istio_requests_total{reporter="destination",destination_service_name="churn"}[5m]))';
    const errors = all.replace('="churn"', '="churn",response_code=~"5.."');
    expect(expr(errorRatio(istio, { selector: { model: 'churn' }, window: 300 }))).toBe(
      `(${errors.replace('5m', '300s')} or ${all.replace('5m', '300s')} * 0) / (${all.replace('5m', '300s')} > 0)`,
    );
  });

  test("the client's faults count when asked for", () => {
    expect(expr(errorRatio(istio, churn, { faults: ['client'] }))).toContain('response_code=~"4..|0"');
    expect(expr(errorRatio(sluice, churn, { faults: ['client', 'server'] }))).toContain(
      'status=~"invalid_input|unknown_model|not_ready|queue_full|timeout|draining|error"',
    );
  });

  test('a status that nobody knew yet counts as an error', () => {
    expect(expr(errorRatio(sluice, churn))).toContain('status!~"ok|invalid_input|unknown_model"');
  });

  test('where only the whole server tells errors, the ratio is of the server and says so', () => {
    const query = errorRatio(torchserve, { selector: { model: 'churn', pod: 'churn-7f' }, window: '5m' });
    expect(expr(query)).not.toContain('churn"');
    expect(expr(query)).toContain('Requests5XX{pod="churn-7f"}');
    expect(isNoQuery(query) ? [] : query.notes).toEqual([
      'All models of the server count together: the model is not in these series.',
    ]);
    expect(errorRatio(torchserve, { window: '5m', by: ['model'] })).toHaveProperty('reason');
  });

  test('a server without a count of errors answers with what to use instead', () => {
    expect(errorRatio(kserve, churn)).toEqual({
      reason: 'KServe does not show this',
      fix: kserve.absent.outcomes,
    });
  });

  test('a quantile comes from classic buckets, in seconds', () => {
    expect(expr(latencyQuantile(istio, 0.99, { window: '$__rate_interval', by: ['version'] }))).toBe(
      'histogram_quantile(0.99, sum by (destination_version,le) (rate(istio_request_duration_milliseconds_bucket{reporter="destination"}[$__rate_interval]))) / 1000',
    );
  });

  test('a quantile comes from a native histogram without buckets', () => {
    expect(expr(latencyQuantile(sluice, 0.95, churn, { native: true }))).toBe(
      'histogram_quantile(0.95, sum(rate(model_prediction_latency_seconds{model_name="churn",model_version="3"}[5m])))',
    );
  });

  test('what a server shows only after a setting comes with that setting', () => {
    const query = latencyQuantile(triton, 0.95, churn);
    expect(isNoQuery(query) ? [] : query.notes.join(' ')).toContain('histogram_latencies=true');
  });

  test('a quantile of a server that only sums is refused', () => {
    expect(latencyQuantile(torchserve, 0.95, churn)).toMatchObject({ fix: torchserve.absent.buckets });
    expect(latencyQuantile(sluice, 95, churn)).toMatchObject({ reason: '95 is no quantile' });
  });

  test('the worst of the quantiles a server tells itself is taken', () => {
    const summary = { ...triton, latency: triton.latency.filter(({ kind }) => kind === 'summary') };
    expect(expr(latencyQuantile(summary, 0.95, churn))).toBe(
      'max(nv_inference_request_summary_us{model="churn",version="3",quantile="0.95"}) / 1e+06',
    );
    expect(latencyQuantile(summary, 0.96, churn)).toHaveProperty('reason');
  });

  test("a threshold that is a bucket's bound is exact", () => {
    expect(shareWithin(sluice, 0.1, churn)).toMatchObject({
      expr:
        'sum(rate(model_prediction_latency_seconds_bucket{model_name="churn",model_version="3",le="0.1"}[5m])) / ' +
        '(sum(rate(model_prediction_latency_seconds_count{model_name="churn",model_version="3"}[5m])) > 0)',
      threshold: 0.1,
      exact: true,
    });
  });

  test('a threshold between bounds is counted to the lower one, and the notes say so', () => {
    const query = shareWithin(sluice, 0.2, churn);
    expect(query).toMatchObject({ threshold: 0.1, exact: false });
    expect(isNoQuery(query) ? '' : query.notes.at(-1)).toMatch(/^Counted to 0\.1 s, the next bound below 0\.2 s; /);
  });

  test("a bound is found however it is written, and in the series' own unit", () => {
    expect(expr(shareWithin(sluice, 1, churn))).toContain('le=~"1|1\\\\.0"');
    expect(expr(shareWithin(istio, 0.25, churn))).toContain('le=~"250|250\\\\.0"');
    expect(boundTexts(1e6)).toEqual(['1000000', '1e+06', '1000000.0']);
    expect(boundTexts(0.00005)).toEqual(['0.00005', '5e-05']);
  });

  test('a threshold below all bounds, or bounds nobody knows, are refused with what to do', () => {
    expect(shareWithin(istio, 0.0001, churn)).toMatchObject({
      reason: '0.0001 s is below the lowest bucket, 0.0005 s',
    });
    expect(shareWithin(http, 0.1, { window: '5m' })).toMatchObject({ fix: 'Give their bounds in seconds (buckets).' });
    expect(shareWithin(http, 0.1, { window: '5m' }, { buckets: [0.1, 1] })).toMatchObject({ exact: true });
    expect(shareWithin(sluice, Number.NaN, churn)).toHaveProperty('reason');
  });

  test('a native histogram takes any threshold', () => {
    expect(shareWithin(istio, 0.3, { window: '5m' }, { native: true })).toMatchObject({
      expr: 'histogram_fraction(-Inf, 300, sum(rate(istio_request_duration_milliseconds{reporter="destination"}[5m])))',
      exact: true,
    });
  });

  test('means come from sums and counts, in seconds or rows', () => {
    expect(expr(meanLatency(triton, churn))).toBe(
      '(sum(rate(nv_inference_request_duration_us{model="churn",version="3"}[5m])) / (sum(rate(nv_inference_request_success{model="churn",version="3"}[5m])) > 0)) / 1e+06',
    );
    expect(expr(meanQueueTime(triton, churn))).toContain('nv_inference_queue_duration_us');
    expect(expr(meanBatchRows(triton, churn))).toMatch(/^sum\(rate\(nv_inference_count/);
    expect(expr(meanLatency(mlserver, { selector: { model: 'churn' }, window: '5m' }))).toContain(
      'model_infer_request_duration_sum{model="churn"}',
    );
  });

  test('levels are added up or averaged, and put in plain units', () => {
    expect(expr(requestsQueued(triton, churn))).toBe(
      'sum(nv_inference_pending_request_count{model="churn",version="3"})',
    );
    expect(expr(gpuMemoryUsed(torchserve, { window: '5m', by: [{ label: 'DeviceId' }] }))).toBe(
      'sum by (DeviceId) (GPUMemoryUsed) * 1048576',
    );
  });

  test('tokens of a language model', () => {
    const scope: QueryScope = { selector: { model: 'llama' }, window: '1m' };
    expect(expr(tokenRate(vllm, 'generated', scope))).toBe(
      'sum(rate(vllm:generation_tokens_total{model_name="llama"}[1m]))',
    );
    expect(expr(tokenTimeQuantile(vllm, 'timeToFirst', 0.5, scope))).toContain(
      'vllm:time_to_first_token_seconds_bucket',
    );
    expect(tokenRate(triton, 'prompt', scope)).toHaveProperty('fix', triton.absent.tokens);
  });

  test('a server of language models that tells no time to the first token is asked for none', () => {
    const scope: QueryScope = { selector: { labels: { job: 'writer' } }, window: '1m' };
    expect(expr(tokenRate(tgi, 'prompt', scope))).toBe('sum(rate(tgi_request_input_length_sum{job="writer"}[1m]))');
    expect(expr(tokenTimeQuantile(tgi, 'between', 0.5, scope))).toContain(
      'tgi_request_mean_time_per_token_duration_bucket',
    );
    expect(isNoQuery(tokenTimeQuantile(tgi, 'timeToFirst', 0.5, scope))).toBe(true);
  });

  test('a bound is asked for with every digit the server writes', () => {
    // As Rust prints what it multiplied: 0.0001 * 1.5 ** 21.
    const share = shareWithin(tgi, 0.5, { window: '5m' });
    expect(expr(share)).toContain('tgi_request_duration_bucket{le="0.49878850951194753"}');
    expect(isNoQuery(share) ? '' : share.notes.join(' ')).toContain('Counted to 0.4988 s');
  });

  test("a version the series don't have is the target's label, and the notes say where that comes from", () => {
    const query = requestRate(kserve, churn);
    expect(expr(query)).toContain('sluice_dev_model_version="3"');
    expect(isNoQuery(query) ? '' : query.notes[0]).toContain('podTargetLabels');
  });

  test('one of several, all but one, and a Grafana variable', () => {
    const selector = { model: { anyOf: ['a.b', 'c|d'] }, version: { not: '3' }, namespace: { variable: '$namespace' } };
    expect(expr(requestRate(sluice, { selector, window: '5m' }))).toContain(
      '{model_name=~"a\\\\.b|c\\\\|d",model_version!="3",namespace=~"$namespace"}',
    );
  });

  test("a label of the selector goes before the profile's own condition on it", () => {
    expect(expr(requestRate(istio, { selector: { labels: { reporter: 'source' } }, window: '5m' }))).toBe(
      'sum(rate(istio_requests_total{reporter="source"}[5m]))',
    );
  });

  test('what is no window, label or variable is refused', () => {
    for (const window of ['', '5', '5m]) or vector(1)', '0s', '$a b', Number.NaN, 0, -1, Number.POSITIVE_INFINITY])
      expect(requestRate(sluice, { window }), String(window)).toHaveProperty('reason');
    expect(rangeText(0.5)).toBe('500ms');
    expect(rangeText('1h30m')).toBe('1h30m');
    expect(requestRate(sluice, { window: '5m', selector: { labels: { 'a"} or x{': '1' } } })).toHaveProperty('reason');
    expect(requestRate(sluice, { window: '5m', by: [{ label: 'a) or (b' }] })).toHaveProperty('reason');
    expect(requestRate(sluice, { window: '5m', selector: { model: { variable: '$x"} or a{b="' } } })).toHaveProperty(
      'reason',
    );
    expect(requestRate(sluice, { window: '5m', selector: { model: { anyOf: [] } } })).toHaveProperty('reason');
  });

  test('no value of a label gets out of its quotes', () => {
    const clean = expr(requestRate(sluice, { selector: { model: 'x' }, window: '5m' })).split('"x"');
    const hostile = fc.array(
      fc.constantFrom('"', '\\', '}', '{', '\n', ' or ', '\u0000', '\u2028', '\ud800', 'é', '$', '`'),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          hostile.map((parts) => parts.join('')),
        ),
        (model) => {
          const text = expr(requestRate(sluice, { selector: { model }, window: '5m' }));
          expect(text.startsWith(clean[0] ?? '') && text.endsWith(clean[1] ?? '')).toBe(true);
          const value = text.slice(clean[0]?.length, text.length - (clean[1]?.length ?? 0));
          expect(value).toMatch(/^"(?:[^"\\\n]|\\(?:["\\bfnrt]|u[0-9a-f]{4}))*"$/);
          expect(value).not.toMatch(/\\ud[89ab]/);
          expect(JSON.parse(value)).toBe(model.replace(/\p{Surrogate}/gu, '\ufffd'));
        },
      ),
    );
  });

  test.each(servingProfileNames)('%s answers every question or says why not', (name) => {
    const profile = servingProfiles[name];
    const scope: QueryScope = { window: '5m' };
    for (const query of [
      requestRate(profile, scope),
      errorRatio(profile, scope),
      latencyQuantile(profile, 0.5, scope),
      shareWithin(profile, 0.5, scope),
      meanLatency(profile, scope),
      meanQueueTime(profile, scope),
      meanBatchRows(profile, scope),
      requestsQueued(profile, scope),
    ]) {
      if (isNoQuery(query)) expect(query.fix).toMatch(/^[A-Z`@].+\.$|^[A-Za-z_]+.+\.$/);
      else expect(query.expr).not.toMatch(/undefined|NaN/);
    }
  });
});
