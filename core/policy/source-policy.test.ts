import { describe, expect, it, test } from 'vitest';
import { PolicyError, SluiceError } from '../problem/index.ts';
import { parsePolicy } from './parse-policy.ts';
import { stricterOf } from './stricter-policy.ts';

const rows = 'evaluation: { source: rows.csv, target: label }';
const policy = (model: string, gates = 'accuracy: { min: 0.8 }', more = rows) =>
  `version: 1\nmodel: { ${model} }\n${more}\ngates: { ${gates} }\n`;
const run = 'run: { experiment: churn }';
const endpoint = 'endpoint: { url: "http://models:8000", model: churn }';
const id = 'ab'.repeat(16);

function problemsOf(text: string) {
  try {
    parsePolicy(text, 'sluice.yaml');
    return [];
  } catch (error) {
    if (error instanceof PolicyError) return error.problems;
    throw error;
  }
}
const merged = (base: string, head: string) =>
  stricterOf(parsePolicy(base, 'sluice.yaml'), parsePolicy(head, 'sluice.yaml'));

describe('what is judged', () => {
  it.each([
    ['a file', policy('path: m.onnx')],
    ['a file of predictions', policy('predictions: out.parquet')],
    [
      'predictions with their columns',
      policy(
        'predictions: { path: out.csv, key: id, label: guess, scores: [a, b] }, baseline: { predictions: { path: base.csv } }',
      ),
    ],
    ['the latest run of an experiment', policy(run, 'accuracy: { min: 0.85 }, f1: { min: 0.78 }', '')],
    [
      'a run against the champion’s',
      policy(
        `run: { id: ${id} }, baseline: { champion: { mlflow: churn, alias: champion } }`,
        'accuracy: { max_regression: 0.01 }',
        '',
      ),
    ],
  ])('can be %s', (_what, text) => expect(problemsOf(text)).toEqual([]));

  it.each([
    ['nothing', policy('task: classification'), 'no-source', ''],
    [
      'two things',
      policy('path: m.onnx, predictions: out.csv'),
      'several-sources',
      'an ONNX file and a file of predictions',
    ],
    [
      'the latency of predictions',
      policy('predictions: out.csv', 'latency: { p95_ms: 10 }'),
      'gate-without-source',
      '"latency" cannot be judged by a file of predictions',
    ],
    [
      'further sets for predictions',
      policy('predictions: out.csv', 'accuracy: { min: 0.8 }', `${rows}\nexplain: {}`),
      'part-without-source',
      'explain cannot be judged by a file of predictions',
    ],
    [
      'the size of a run',
      policy(run, 'size: { max_mb: 10 }', ''),
      'gate-without-source',
      '"size" cannot be judged by the metrics of a run',
    ],
    [
      'the fairness of a run',
      policy(run, 'fairness: { group: sex, accuracy_ratio: { min: 0.8 } }', ''),
      'gate-without-source',
      'fairness',
    ],
    ['a run with rows', policy(run), 'option-without-effect', 'evaluation has no effect'],
    [
      'a run with an average',
      policy(run, 'f1: { min: 0.5, average: macro }', ''),
      'option-without-effect',
      'logged one number',
    ],
    ['the latest run of nothing', policy('run: { id: latest }', 'f1: { min: 0.5 }', ''), 'no-experiment', 'names none'],
    [
      'inputs of predictions',
      policy('predictions: out.csv, inputs: { X: [a] }'),
      'option-without-effect',
      'model.inputs',
    ],
    [
      'a run against a file',
      policy(`${run}, baseline: { path: m.onnx }`, 'f1: { min: 0.5 }', ''),
      'baseline-of-another-kind',
      'another run only',
    ],
    [
      'a file against predictions',
      policy('path: m.onnx, baseline: { predictions: out.csv }'),
      'baseline-of-another-kind',
      'cannot be held against',
    ],
  ])('cannot be %s', (_what, text, code, message) => {
    expect(problemsOf(text)).toContainEqual(
      expect.objectContaining({ code, message: expect.stringContaining(message), fix: expect.any(String) }),
    );
  });
});

describe('a pull request gains nothing by judging something else:', () => {
  const kinds = [
    ['path', 'path: m.onnx', rows],
    ['predictions', 'predictions: out.csv', rows],
    ['run', run, ''],
  ] as const;
  const pairs = kinds.flatMap((base) => kinds.filter((head) => head !== base).map((head) => [base, head] as const));

  test.each(pairs.filter(([[base], [head]]) => base !== 'run' && head !== 'run'))(
    '%s of the base stays before %s',
    ([kind, base, with_], [, head]) => {
      const effective = merged(policy(base, 'accuracy: { min: 0.8 }', with_), policy(head));
      expect(effective.policy.model).toEqual(
        parsePolicy(policy(base, 'accuracy: { min: 0.8 }', with_), 'p').policy.model,
      );
      expect(effective.differences.map(({ key, effective: from }) => [key, from])).toContainEqual([
        `model.${kind}`,
        'base',
      ]);
    },
  );

  it('what only the base’s kind can show is still demanded', () => {
    const base = policy('path: m.onnx', 'accuracy: { min: 0.8 }, latency: { p95_ms: 10 }');
    const { policy: effective } = merged(base, policy('predictions: out.csv'));
    expect(effective.gates?.latency).toEqual({ p95_ms: 10 });
    expect(effective.model?.path).toBe('m.onnx');
  });

  it('rows of the base beside a run of the head cannot stand together, and no verdict is given', () => {
    expect(() => merged(policy(run, 'accuracy: { min: 0.8 }', ''), policy('path: m.onnx'))).toThrow(SluiceError);
  });

  it('a run is the head’s to name, but for the latest, which is the base’s', () => {
    const of = (named: string) => policy(`run: { ${named} }`, 'accuracy: { min: 0.8 }', '');
    const other = 'cd'.repeat(16);
    expect(merged(of(`id: ${id}`), of(`id: ${other}`)).policy.model?.run?.id).toBe(other);
    expect(merged(of('experiment: churn'), of(`experiment: churn, id: ${other}`)).policy.model?.run).toEqual({
      experiment: 'churn',
    });
    expect(
      merged(of('experiment: churn'), of('experiment: easy, rows: 9, metrics: { accuracy: train_accuracy }')).policy
        .model?.run,
    ).toEqual({ experiment: 'churn' });
  });
});

it('a server’s address and token are the base’s; a token’s name cannot be that of another secret', () => {
  expect(problemsOf(policy(endpoint.replace(' }', ', token_env: AWS_SECRET_ACCESS_KEY }')))[0]?.expected).toContain(
    'SLUICE_ENDPOINT_',
  );
  expect(problemsOf(policy(endpoint.replace('http://', 'http://ann:pw@')))).not.toEqual([]);
});
