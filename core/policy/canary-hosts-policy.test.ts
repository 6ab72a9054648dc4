import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { PolicyError } from '../problem/index.ts';
import { policyJsonSchema } from './json-schema.ts';
import { parsePolicy } from './parse-policy.ts';

const metrics = 'metrics: { source: prometheus, url: "http://prometheus:9090", server: sluice }';
const strategy = 'strategy: { kind: steps, weights: [33, 67] }';
const three = ['web-1', 'web-2', 'web-3'].map(
  (name, index) => `{ name: ${name}, at: deploy@${name}.internal, url: "http://10.0.0.1${index}:8000" }`,
);
const traffic = (changes: Readonly<Record<string, string | undefined>> = {}): string => {
  const keys: Readonly<Record<string, string | undefined>> = {
    provider: 'hosts',
    baseline: 'v1',
    canary: 'v2',
    model: 'models/churn.onnx',
    directory: '/srv/churn',
    hosts: `[${three.join(', ')}]`,
    restart: '{ run: [sudo, systemctl, restart, churn], within: 1m }',
    health: '{ path: /v2/health/ready, within: 1m }',
    ...changes,
  };
  const text = Object.entries(keys).flatMap(([key, value]) => (value === undefined ? [] : [`${key}: ${value}`]));
  return `traffic: { ${text.join(', ')} }`;
};
const policy = (...parts: readonly string[]) => `version: 1\ncanary:\n${parts.join('\n').replaceAll(/^/gm, '  ')}`;

const problemsOf = (...parts: readonly string[]) => {
  try {
    parsePolicy(policy(...parts), 'sluice.yaml');
  } catch (error) {
    if (error instanceof PolicyError) return error.problems.map(({ code, place }) => `${code} ${place?.key}`);
    throw error;
  }
  return [];
};

const wholes = {
  'plain hosts': policy(traffic(), metrics, strategy),
  'plain hosts with everything': policy(
    traffic({
      file: 'churn.onnx',
      drain: `{ at: deploy@lb-1:2222, run: [/opt/drain, "{host}", "it's; $(odd) \\\\"], within: 30s }`,
      undrain: '{ at: here, run: [/opt/undrain, "{host}"] }',
      warm_up: '[{ path: /v2/models/churn/infer, body: requests/one.json, times: 20 }, { path: /metrics }]',
      state: '{ at: deploy@ops-1, directory: /var/lib/sluice }',
      ssh_config: 'ssh/config',
    }),
    metrics,
    strategy,
    'lease: 20m',
  ),
  'Ray Serve': policy(
    'traffic: { provider: ray-serve, dashboard: "http://ray:8265", splitter: churn, baseline: churn-v1, canary: churn-v2, state: { directory: .rollout } }',
    metrics,
    'strategy: { kind: adaptive, risk: 20, shadow: { percent: 10 }, header: { name: x-canary, value: "1" } }',
  ),
};

describe('the policy of a canary on hosts', () => {
  test.each(Object.entries(wholes))('can be %s, and the JSON Schema agrees', (_what, text) => {
    const { policy: parsed } = parsePolicy(text, 'sluice.yaml');
    const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(policyJsonSchema());
    expect(validate(parsed), JSON.stringify(validate.errors)).toBe(true);
  });

  const at = 'canary.traffic';
  test.each([
    [
      'an address that ssh takes for an option',
      { hosts: '[{ name: a, at: "-oProxyCommand=id", url: "http://a:1" }]' },
      `wrong-value ${at}.hosts[0].at`,
    ],
    [
      'a name with a path in it',
      { hosts: '[{ name: ../a, at: a, url: "http://a:1" }]' },
      `wrong-value ${at}.hosts[0].name`,
    ],
    [
      'a password in an address',
      { hosts: '[{ name: a, at: a, url: "http://me:secret@a:1" }]' },
      `wrong-value ${at}.hosts[0].url`,
    ],
    ['a folder that is relative', { directory: 'srv/churn' }, `wrong-value ${at}.directory`],
    ['a folder with a way up', { directory: '/srv/../etc' }, `wrong-value ${at}.directory`],
    ['a folder with a blank', { directory: '"/srv/my churn"' }, `wrong-value ${at}.directory`],
    ['a version with a slash', { canary: 'v2/x' }, `wrong-value ${at}.canary`],
    ['a version that is a folder up', { canary: '".."' }, `wrong-value ${at}.canary`],
    ['a command that is a line', { restart: '{ run: systemctl restart churn }' }, `wrong-type ${at}.restart.run`],
    ['a word with a line break', { restart: '{ run: ["a\\nb"] }' }, `wrong-value ${at}.restart.run[0]`],
    ['a record in a folder up', { state: '{ directory: ../x }' }, `wrong-value ${at}.state.directory`],
    ['the same version twice', { canary: 'v1' }, `same-arms ${at}.canary`],
    [
      'a host named twice',
      { hosts: `[${[three[0], three[1], three[0]].join(', ')}]` },
      `host-named-twice ${at}.hosts[2].name`,
    ],
    ['drain without undrain', { drain: '{ run: [x] }' }, `half-drain ${at}.drain`],
    ['undrain without drain', { undrain: '{ run: [x] }' }, `half-drain ${at}.undrain`],
    ['a restart that outlasts the lease', { restart: '{ run: [x], within: 20m }' }, `short-lease ${at}`],
  ])('cannot have %s', (_what, changes, problem) => {
    expect(problemsOf(traffic(changes), metrics, strategy)).toContain(problem);
  });

  test.each([
    [
      'a weight that is no share of the hosts',
      [traffic(), metrics, 'strategy: { kind: steps, weights: [33, 50] }'],
      'impossible-weight canary.strategy.weights[1]',
    ],
    [
      'an adaptive strategy',
      [traffic(), metrics, 'strategy: { kind: adaptive, risk: 9 }'],
      'impossible-weight canary.strategy.kind',
    ],
    [
      'the metrics of the local proxy',
      [traffic(), 'metrics: { source: proxy }', strategy],
      'wrong-source canary.metrics.source',
    ],
    [
      'a Job that guards',
      [traffic(), metrics, strategy, 'guard: { image: x, service_account: y }'],
      'no-effect canary.guard',
    ],
  ])('cannot have %s', (_what, parts, problem) => {
    expect(problemsOf(...parts)).toEqual([problem]);
  });
});
