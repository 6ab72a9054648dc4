import { describe, expect, test } from 'vitest';
import { PolicyError } from '../problem/index.ts';
import { parsePolicy } from './index.ts';

const strategy = 'strategy: { kind: steps, weights: [25] }';
const weights =
  'traffic: { provider: sagemaker, mode: variant-weights, endpoint: churn, baseline: blue, canary: green }';
const cloudwatch = 'metrics: { source: cloudwatch }';
const deployment = (more = '') =>
  `deployment: { kind: canary, size: 25, bake: 10m, alarms: [churn-5xx, sluice-abort], abort_alarm: sluice-abort${more} }`;
const guarded = (own = deployment()) =>
  `traffic: { provider: sagemaker, mode: guardrails, endpoint: churn, baseline: churn-1, canary: churn-2${own === '' ? '' : `, ${own}`} }`;
const fleets = 'metrics: { source: cloudwatch, baseline: { variant: AllTraffic }, canary: { variant: AllTraffic } }';
const datadog = (more = '') =>
  `metrics: { source: datadog, site: datadoghq.eu, requests: trace.http.request.hits, errors: trace.http.request.errors, baseline: { tags: { version: v1 } }, canary: { tags: { version: v2 } }${more} }`;

const problemsOf = (...lines: readonly string[]): readonly string[] => {
  try {
    parsePolicy(`version: 1\ncanary:\n${lines.join('\n').replaceAll(/^/gm, '  ')}`, 'sluice.yaml');
    return [];
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    return error.problems.map(({ code, place, fix }) => {
      expect(fix).toMatch(/\S/);
      return `${code} ${place?.key}`;
    });
  }
};

describe('the policy of a canary at AWS', () => {
  test.each([
    ['variant weights with CloudWatch', [weights, cloudwatch, strategy]],
    [
      'variant weights with Datadog',
      [weights, datadog(', latency: trace.http.request, latency_edges_ms: [10, 50]'), strategy],
    ],
    ['guardrails with CloudWatch', [guarded(), fleets, strategy, 'ready_deadline: 40m']],
    [
      'Managed Prometheus',
      [
        weights,
        'metrics: { source: prometheus, url: "https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-1", sigv4: { region: eu-west-1, service: aps }, server: sluice, baseline: { version: "1" }, canary: { version: "2" } }',
        strategy,
      ],
    ],
  ])('takes %s', (_, lines) => {
    expect(problemsOf(...lines)).toEqual([]);
  });

  test.each([
    [
      'an endpoint that is none',
      [weights.replace('churn', 'churn_1'), cloudwatch, strategy],
      ['wrong-value canary.traffic.endpoint'],
    ],
    [
      'a region that is none',
      [weights.replace('mode:', 'region: europe, mode:'), cloudwatch, strategy],
      ['wrong-value canary.traffic.region'],
    ],
    ['guardrails without a deployment', [guarded(''), fleets, strategy], ['missing-key canary.traffic.mode']],
    [
      'weights with a deployment',
      [weights.replace(' }', `, ${deployment()} }`), cloudwatch, strategy],
      ['no-effect canary.traffic.deployment'],
    ],
    [
      'an abort alarm that SageMaker would not hear',
      [
        guarded(deployment().replace('abort_alarm: sluice-abort', 'abort_alarm: other')),
        fleets,
        strategy,
        'ready_deadline: 40m',
      ],
      ['unknown-alarm canary.traffic.deployment.abort_alarm'],
    ],
    [
      'times beyond what SageMaker waits',
      [
        guarded(deployment(', termination_wait: 2h, max_time: 5m').replace('10m', '90m')),
        fleets,
        strategy,
        'ready_deadline: 6h',
        'deadline: 8h',
      ],
      [
        'out-of-range canary.traffic.deployment.bake',
        'out-of-range canary.traffic.deployment.termination_wait',
        'out-of-range canary.traffic.deployment.max_time',
      ],
    ],
    [
      'linear steps that are too small',
      [
        guarded(deployment().replace('kind: canary, size: 25', 'kind: linear, size: 5')),
        fleets,
        strategy,
        'ready_deadline: 5h',
      ],
      ['out-of-range canary.traffic.deployment.size'],
    ],
    [
      'a deployment longer than ready_deadline',
      [guarded(), fleets, strategy],
      ['short-deadline canary.traffic.deployment.bake'],
    ],
    [
      'a Job that guards an endpoint',
      [weights, cloudwatch, strategy, 'guard: { image: a, service_account: b }'],
      ['no-effect canary.guard'],
    ],
    [
      'fleets without a variant',
      [guarded(), cloudwatch, strategy, 'ready_deadline: 40m'],
      ['missing-key canary.metrics.source', 'missing-key canary.metrics.source'],
    ],
    [
      'edges that fall',
      [weights, 'metrics: { source: cloudwatch, latency_edges_ms: [10, 5] }', strategy],
      ['edges-not-rising canary.metrics.latency_edges_ms[1]'],
    ],
    [
      'a site that is none',
      [weights, datadog().replace('datadoghq.eu', 'evil.example'), strategy],
      ['wrong-value canary.metrics.site'],
    ],
    [
      'a metric that is a query',
      [weights, datadog().replace('trace.http.request.hits', '"a{*} by {host}"'), strategy],
      ['wrong-value canary.metrics.requests'],
    ],
    ['a key of Datadog in it', [weights, datadog(', api_key: abc'), strategy], ['unknown-key canary.metrics.api_key']],
  ])('refuses %s', (_, lines, problems) => {
    expect(problemsOf(...lines)).toEqual(problems);
  });
});
