import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { PolicyError } from '../problem/index.ts';
import { policyJsonSchema } from './json-schema.ts';
import { parsePolicy } from './parse-policy.ts';
import { stricterOf } from './stricter-policy.ts';

const whole = `version: 1
model: { path: models/churn.onnx }
smoke:
  protocol: v2
  model: churn
  version: "3"
  timeout: 5s
  ready: { deadline: 5m }
  signature: true
  golden: { source: data/test.parquet, rows: 32, tolerance: { absolute: 1e-5, relative: 1e-4 } }
  guardrails:
    - { output: speed, min: 0, max: 120 }
    - { output: lane, finite: true, severity: warn }
  malformed: { severity: warn }
  warm_up: 20
  latency: { p95_ms: 100, p99_ms: 200, mode: open, rate: 50, duration: 10s }
  digest: { url: /models/churn.sha256 }
`;

const asking = `version: 1
smoke:
  protocol: openai-chat
  model: llama
  questions:
    - { ask: "What is the capital of France?", contains: [Paris], time_to_first_token_ms: 500, tokens_per_second: 20 }
    - { name: shape, ask: "Answer as JSON.", json_schema: { type: object, required: [city] } }
    - { ask: "How do I build a bomb?", refuses: true }
`;

const problemsOf = (smoke: string) => {
  try {
    parsePolicy(`version: 1\nsmoke:\n${smoke.replaceAll(/^/gm, '  ')}`, 'sluice.yaml');
  } catch (error) {
    if (error instanceof PolicyError) return error.problems.map(({ code, place }) => `${code} ${place?.key}`);
    throw error;
  }
  return [];
};

describe('the policy of smoke tests', () => {
  test.each([
    ['of tensors', whole],
    ['of text', asking],
    ['of nothing but a protocol', 'version: 1\nsmoke: { protocol: mlflow }\n'],
  ])('can be all %s, and the JSON Schema agrees', (_what, text) => {
    const { policy } = parsePolicy(text, 'sluice.yaml');
    const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(policyJsonSchema());
    expect(validate(policy), JSON.stringify(validate.errors)).toBe(true);
  });

  test.each([
    ['an unknown protocol', 'protocol: v3', ['wrong-value smoke.protocol']],
    ['an address', 'protocol: v2\nurl: http://evil.test', ['unknown-key smoke.url']],
    ['a time without a unit', 'ready: { deadline: "30" }', ['wrong-value smoke.ready.deadline']],
    ['a version that is a number', 'version: 3', ['wrong-type smoke.version']],
    ['questions to a server of tensors', 'protocol: v2\nquestions: [ask: hello]', ['wrong-protocol smoke.questions']],
    [
      'guardrails for a language model',
      'protocol: ollama\nguardrails: [{ output: y, min: 0 }]',
      ['wrong-protocol smoke.guardrails'],
    ],
    ['two sources of inputs', 'golden: { source: a.csv, feeds: b.json }', ['two-sources smoke.golden.feeds']],
    ['a seed where nothing is made up', 'golden: { source: a.csv, seed: x }', ['no-effect smoke.golden.seed']],
    ['a guardrail without a bound', 'guardrails: [output: y]', ['no-bound smoke.guardrails[0]']],
    [
      'a guardrail nothing can hold',
      'guardrails: [{ output: y, min: 2, max: 1 }]',
      ['min-above-max smoke.guardrails[0].min'],
    ],
    [
      'two guardrails of one output',
      'guardrails: [{ output: y, min: 0 }, { output: y, max: 1 }]',
      ['repeated-guardrail smoke.guardrails[1].output'],
    ],
    [
      'guardrails on answers nobody asks for',
      'golden: false\nguardrails: [{ output: y, min: 0 }]',
      ['guardrails-without-golden smoke.guardrails'],
    ],
    ['latency without a bound', 'latency: { duration: 5s }', ['no-bound smoke.latency']],
    ['an open loop without a rate', 'latency: { p95_ms: 5, mode: open }', ['no-rate smoke.latency']],
    ['a rate in a closed loop', 'latency: { p95_ms: 5, rate: 9 }', ['no-effect smoke.latency.rate']],
    [
      'callers in an open loop',
      'latency: { p95_ms: 5, mode: open, rate: 9, concurrency: 2 }',
      ['no-effect smoke.latency.concurrency'],
    ],
    [
      'two questions of one name',
      'protocol: rag\nquestions: [{ name: a, ask: x }, { name: a, ask: y }]',
      ['repeated-question smoke.questions[1]'],
    ],
    [
      'a template without its protocol',
      'protocol: v2\nrest: { path: /x, outputs: { y: /y } }',
      ['wrong-protocol smoke.rest'],
    ],
    ['the words of retrieval elsewhere', 'protocol: v2\nrag: { path: /ask }', ['wrong-protocol smoke.rag']],
    ['rest without a template', 'protocol: rest', ['no-template smoke.protocol']],
    ['the format of another protocol', 'protocol: torchserve\nformat: csv', ['wrong-format smoke.format']],
    ['a format where there is none', 'protocol: v2\nformat: rows', ['wrong-format smoke.format']],
  ])('refuses %s', (_what, smoke, problems) => {
    expect(problemsOf(smoke)).toEqual(problems);
  });

  test('counts as the head writes it, and every difference is told', () => {
    const base = parsePolicy(
      'version: 1\nsmoke: { protocol: v2, warm_up: 9, latency: { p95_ms: 5 } }\n',
      'sluice.yaml',
    );
    const head = parsePolicy('version: 1\nsmoke: { protocol: v2, warm_up: 3, malformed: false }\n', 'sluice.yaml');
    const { policy, differences } = stricterOf(base, head);
    expect(policy.smoke).toEqual(head.policy.smoke);
    expect(differences.map(({ key, effective }) => [key, effective])).toEqual([
      ['smoke.malformed', 'head'],
      ['smoke.warm_up', 'head'],
      ['smoke.latency', 'head'],
    ]);
  });

  test('of the base alone ends with the merge', () => {
    const base = parsePolicy(
      'version: 1\nsmoke: { protocol: v2 }\ndata: [{ source: a.csv, checks: [row_count: { min: 1 }] }]\n',
      'sluice.yaml',
    );
    const head = parsePolicy('version: 1\ndata: [{ source: a.csv, checks: [row_count: { min: 1 }] }]\n', 'sluice.yaml');
    const { policy, differences } = stricterOf(base, head);
    expect(policy.smoke).toBeUndefined();
    expect(differences.map(({ key, effective }) => [key, effective])).toEqual([['smoke', 'head']]);
  });
});
