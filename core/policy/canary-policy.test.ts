import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { PolicyError } from '../problem/index.ts';
import { durationMs } from './duration.ts';
import { policyJsonSchema } from './json-schema.ts';
import { parsePolicy } from './parse-policy.ts';
import { stricterOf } from './stricter-policy.ts';

const istio = 'traffic: { provider: istio, namespace: shop, virtual_service: churn, baseline: v1, canary: v2 }';
const prometheus = 'metrics: { source: prometheus, url: "http://prometheus:9090", server: sluice, model: churn }';
const weights = 'strategy: { kind: steps, weights: [1, 5, 25] }';
const usual = [istio, prometheus, weights].join('\n');

const problemsOf = (canary: string) => {
  try {
    parsePolicy(`version: 1\ncanary:\n${canary.replaceAll(/^/gm, '  ')}`, 'sluice.yaml');
  } catch (error) {
    if (error instanceof PolicyError) return error.problems.map(({ code, place }) => `${code} ${place?.key}`);
    throw error;
  }
  return [];
};

const wholes = {
  'on Istio with fixed steps': `version: 1
canary:
  ${istio}
  ${prometheus}
  strategy: { kind: steps, weights: [1, 5, 10, 25, 50], min_step: 2m }
  analysis:
    look_every: 5s
    errors: { max_ratio: 1.25 }
    latency: { slo_ms: 100, max_share_increase: 0.02 }
    predictions: { max_shift: 0.1 }
    false_rollback: 0.01
    min_requests: 200
    warm_up: 1m
  deadline: 6h
  lease: 15m
  approval: none
`,
  'adaptive, in the shadow and behind a header first': `version: 1
model: { path: models/churn.onnx }
canary:
  traffic: { provider: gateway-api, namespace: shop, http_route: churn, baseline: churn-v1, canary: churn-v2 }
  metrics:
    source: prometheus
    url: http://prometheus:9090
    server: triton
    means:
      - { name: agreement, sum: shadow_agreed_total, count: shadow_compared_total, canary: { version: v2 } }
      - { name: clicks, sum: clicks_total, count: shown_total, canary: { arm: canary }, baseline: { arm: baseline } }
  strategy:
    kind: adaptive
    risk: 50
    max_weight: 40
    max_step: 30m
    shadow: { percent: 20 }
    header: { name: x-canary, value: "yes", min_requests: 10 }
  analysis: { agreement: { min: 0.99 }, rewards: [{ name: clicks, max_loss: 0.01 }] }
  guard: { image: ghcr.io/acme/sluice, service_account: sluice-guard }
  approval: label
  approval_label: ship-it
  ab_report: reports/ab.json
`,
  'by what each process shows': `version: 1
canary:
  ${istio}
  metrics:
    source: scrape
    server: triton
    baseline: { targets: ["http://v1:8002/metrics"] }
    canary: { targets: ["http://v2:8002/metrics"], labels: { model: churn } }
  ${weights}
`,
  'on the local proxy': `version: 1
canary:
  traffic: { provider: local, state: .proxy }
  metrics: { source: proxy }
  ${weights}
`,
};

describe('the policy of a canary', () => {
  test.each(Object.entries(wholes))('can be %s, and the JSON Schema agrees', (_what, text) => {
    const { policy } = parsePolicy(text, 'sluice.yaml');
    const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(policyJsonSchema());
    expect(validate(policy), JSON.stringify(validate.errors)).toBe(true);
  });

  test.each([
    [
      'an unknown provider',
      `traffic: { provider: nginx }\n${prometheus}\n${weights}`,
      ['wrong-type canary.traffic.provider'],
    ],
    [
      'the keys of another provider',
      `traffic: { provider: istio, namespace: shop, http_route: churn, virtual_service: c, baseline: a, canary: b }\n${prometheus}\n${weights}`,
      ['unknown-key canary.traffic.http_route'],
    ],
    ['no strategy', `${istio}\n${prometheus}`, ['missing-key canary.strategy']],
    ['a token in it', `${usual}\ntoken: abc`, ['unknown-key canary.token']],
    [
      'one arm twice',
      `traffic: { provider: istio, namespace: shop, virtual_service: churn, baseline: v1, canary: v1 }\n${prometheus}\n${weights}`,
      ['same-arms canary.traffic.canary'],
    ],
    [
      'weights that fall',
      `${istio}\n${prometheus}\nstrategy: { kind: steps, weights: [5, 25, 10] }`,
      ['weights-not-rising canary.strategy.weights[2]'],
    ],
    [
      'a weight that is no whole percent',
      `${istio}\n${prometheus}\nstrategy: { kind: steps, weights: [0.5] }`,
      ['wrong-type canary.strategy.weights[0]'],
    ],
    [
      'a step that cannot end',
      `${istio}\n${prometheus}\nstrategy: { kind: steps, weights: [5], max_step: 1m }`,
      ['min-above-max canary.strategy.max_step'],
    ],
    [
      'a start above the end',
      `${istio}\n${prometheus}\nstrategy: { kind: adaptive, risk: 50, start_weight: 60 }`,
      ['min-above-max canary.strategy.start_weight'],
    ],
    [
      'the proxy without the proxy',
      `${istio}\nmetrics: { source: proxy }\n${weights}`,
      ['wrong-source canary.metrics.source'],
    ],
    ['a lease shorter than three looks', `${usual}\nlease: 10s`, ['short-lease canary.lease']],
    [
      'looks more often than scrapes',
      `${usual}\nanalysis: { look_every: 100ms }`,
      ['too-often canary.analysis.look_every'],
    ],
    ['a deadline before the warm-up is over', `${usual}\ndeadline: 30s`, ['short-deadline canary.deadline']],
    ['a label nobody waits for', `${usual}\napproval_label: ok`, ['no-effect canary.approval_label']],
    [
      'agreement without copies',
      `${usual}\nanalysis: { agreement: { min: 0.9 } }`,
      ['no-such-mean canary.analysis.agreement', 'no-effect canary.analysis.agreement'],
    ],
    [
      'rewards that nobody counts',
      `${usual}\nanalysis: { rewards: [{ name: clicks }] }`,
      ['no-such-mean canary.analysis.rewards[0]'],
    ],
    [
      'rewards, asked of a source that counts none',
      `${istio}\nmetrics: { source: cloudwatch, endpoint: churn, baseline: { variant: a }, canary: { variant: b } }\n${weights}\nanalysis: { rewards: [{ name: clicks }] }`,
      ['no-such-mean canary.analysis.rewards[0]'],
    ],
    [
      'a series that is none',
      `${istio}\nmetrics: { source: prometheus, server: sluice, means: [{ name: a, sum: 'b{c="d"}', count: e }] }\n${weights}`,
      ['wrong-value canary.metrics.means[0].sum'],
    ],
    ['an A/B report of no model', `${usual}\nab_report: ab.json`, ['no-model canary.ab_report']],
    [
      'a password in an address',
      `${istio}\nmetrics: { source: prometheus, url: "http://me:secret@prometheus", server: sluice }\n${weights}`,
      ['wrong-value canary.metrics.url'],
    ],
  ])('refuses %s', (_what, canary, problems) => {
    expect(problemsOf(canary)).toEqual(problems);
  });

  test('counts as the head writes it, and every difference is told', () => {
    const of = (canary: string) =>
      parsePolicy(`version: 1\ncanary:\n${canary.replaceAll(/^/gm, '  ')}\n`, 'sluice.yaml');
    const { policy, differences } = stricterOf(of(`${usual}\nlease: 5m`), of(`${usual}\ndeadline: 2h`));
    expect([policy.canary?.deadline, policy.canary?.lease]).toEqual(['2h', undefined]);
    expect(differences.map(({ key, effective }) => [key, effective])).toEqual([
      ['canary.deadline', 'head'],
      ['canary.lease', 'head'],
    ]);
  });

  test('has times with a unit', () => {
    expect(['500ms', '1.5s', '2m', '1h', '5', '5 m', 3].map(durationMs)).toEqual([
      500,
      1500,
      120_000,
      3_600_000,
      undefined,
      undefined,
      undefined,
    ]);
  });
});
