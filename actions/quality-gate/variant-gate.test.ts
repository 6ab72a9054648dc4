import { describe, expect, it } from 'vitest';
import { classifierModel, floatTensor, type ModelToWrite, writeModel } from '../../core/onnx/index.ts';
import { parsePolicy, stricterOf } from '../../core/policy/index.ts';
import { randomOf } from '../../core/statistics/index.ts';
import { checkOf, csv, judge } from './scene.ts';

const random = randomOf('variants');
const features = 24;
const weights = Array.from({ length: features }, () => [random.unit() - 0.5, random.unit() - 0.5]);
const whole = classifierModel(weights, [0, 0.1]);

/** The same classifier with its weights in eight bits, as dynamic quantization writes it: symmetric, one scale. */
function quantized(): Uint8Array {
  const most = Math.max(...weights.flat().map(Math.abs));
  const bytes = Uint8Array.from(weights.flat().map((weight) => Math.round((127 * weight) / most) & 0xff));
  const model: ModelToWrite = {
    graph: {
      nodes: [
        { operator: 'DequantizeLinear', inputs: ['q', 'scale'], outputs: ['weights'] },
        { operator: 'MatMul', inputs: ['X', 'weights'], outputs: ['product'] },
        { operator: 'Add', inputs: ['product', 'bias'], outputs: ['scores'] },
        { operator: 'Softmax', inputs: ['scores'], outputs: ['probabilities'], attributes: { axis: { int: 1 } } },
        {
          operator: 'ArgMax',
          inputs: ['scores'],
          outputs: ['label'],
          attributes: { axis: { int: 1 }, keepdims: { int: 0 } },
        },
      ],
      inputs: [{ name: 'X', type: 'float32', shape: ['batch', features] }],
      outputs: [
        { name: 'label', type: 'int64', shape: ['batch'] },
        { name: 'probabilities', type: 'float32', shape: ['batch', 2] },
      ],
      initializers: [
        { name: 'q', type: 'int8', dims: [features, 2], raw: bytes },
        floatTensor('scale', [], [most / 127]),
        floatTensor('bias', [2], [0, 0.1]),
      ],
    },
  };
  return writeModel(model);
}

const rows = Array.from({ length: 600 }, () => {
  const values = Array.from({ length: features }, () => random.unit() * 2 - 1);
  const margin = values.reduce(
    (sum, value, at) => sum + value * ((weights[at]?.[1] ?? 0) - (weights[at]?.[0] ?? 0)),
    0.1,
  );
  return [...values, margin + 0.5 * (random.unit() - 0.5) > 0 ? 1 : 0];
});
const data = csv([...Array.from({ length: features }, (_, at) => `x${at}`), 'label'], rows);

const policyOf = (variants: string, evaluation = 'evaluation: { source: rows.csv, target: label }') =>
  `version: 1\nmodel: { path: model.onnx, baseline: none }\n${evaluation}\ngates:\n  variants:\n    - ${variants}\n`;
const files = { 'model.onnx': whole, 'int8.onnx': quantized(), 'rows.csv': data };
const statuses = async (variants: string, more: Readonly<Record<string, Uint8Array | string>> = {}) => {
  const judgement = await judge({ policy: policyOf(variants), files: { ...files, ...more } });
  return { judgement, by: Object.fromEntries(judgement.checks.map(({ id, status }) => [id, status])) };
};

describe('a quantized variant', () => {
  it('is held against the model: metrics, agreement, size and speed, in one table', async () => {
    const bounds =
      'metrics: { accuracy: { max_regression: 0.02 }, roc_auc: { min: 0.8 } }, min_agreement: 0.97, max_size_ratio: 2, max_latency_ratio: 50';
    const { judgement, by } = await statuses(`{ name: int8, path: int8.onnx, ${bounds} }`);
    expect(by).toEqual({
      'gate/variants/int8/accuracy/max_regression': 'pass',
      'gate/variants/int8/roc_auc/min': 'pass',
      'gate/variants/int8/min_agreement': 'pass',
      'gate/variants/int8/max_size_ratio': 'pass',
      'gate/variants/int8/max_latency_ratio': 'pass',
    });
    expect(checkOf(judgement, 'gate/variants/int8/min_agreement')).toMatchObject({ evidence: { n: 600, level: 0.9 } });
    expect(checkOf(judgement, 'gate/variants/int8/accuracy/max_regression').place?.key).toBe(
      'gates.variants[0].metrics.accuracy.max_regression',
    );
    const [figure] = judgement.figures;
    if (figure?.kind !== 'table') throw new TypeError('no table');
    expect(figure.rows.map(([name]) => name)).toEqual(['the model', 'int8']);
    expect(figure.rows[1]?.join(' ')).toContain('accuracy');
  }, 60_000);

  it('that says something else is seen', async () => {
    const turned = classifierModel(
      weights.map(([one = 0, other = 0]) => [other, one]),
      [0, 0.1],
    );
    const bounds = 'metrics: { accuracy: { max_regression: 0.02 } }, min_agreement: 0.9, max_size_ratio: 0.5';
    const { by } = await statuses(`{ name: student, path: student.onnx, ${bounds} }`, { 'student.onnx': turned });
    expect(Object.values(by)).toEqual(['fail', 'fail', 'fail']);
  });

  it('only warns where that is its severity', async () => {
    const { by } = await statuses('{ name: int8, path: int8.onnx, max_size_ratio: 0.01, severity: warn }');
    expect(Object.values(by)).toEqual(['warn']);
  });
});

describe('a variant that does not run here', () => {
  const bounds = 'min_agreement: 0.9, max_size_ratio: 0.5, max_latency_ratio: 1';

  it.each([
    ['a GGUF file', Buffer.concat([Buffer.from('GGUF'), Buffer.alloc(100)])],
    [
      'a safetensors file',
      Buffer.concat([Buffer.from([80, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('{"w":{"dtype":"F32"}}')]),
    ],
  ])('is judged by its size: %s', async (_name, content) => {
    const { by, judgement } = await statuses(`{ name: q4, path: q4.bin, ${bounds} }`, { 'q4.bin': content });
    expect(by).toEqual({
      'gate/variants/q4/max_size_ratio': 'pass',
      'gate/variants/q4/min_agreement': 'error',
      'gate/variants/q4/max_latency_ratio': 'error',
    });
    expect(checkOf(judgement, 'gate/variants/q4/min_agreement').message).toContain('not an ONNX file');
  });

  it.each([
    ['a pointer', 'version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 1\n'],
    ['a pickle', Buffer.from('8004951500000000000000', 'hex')],
    [
      'one with a custom operator',
      writeModel({
        graph: { nodes: [{ operator: 'Magic', domain: 'wizards' }], outputs: [{ name: 'Y', type: 'float32' }] },
      }),
    ],
    [
      'one that reads files elsewhere',
      writeModel({
        graph: { nodes: [], initializers: [{ name: 'w', type: 'int8', dims: [2], external: { location: '../x' } }] },
      }),
    ],
  ])('is an error of its own bounds, and of nothing else: %s', async (name, content) => {
    const judgement = await judge({
      policy: policyOf(
        `{ name: bad, path: bad.onnx, ${bounds} }\n    - { name: int8, path: int8.onnx, max_size_ratio: 2 }`,
      ),
      files: { ...files, 'bad.onnx': content },
    });
    const own = judgement.checks.filter(({ id }) => id !== 'gate/files/beside');
    // What a pickle fails is no variant's: it lies beside the model.
    expect(judgement.checks.length - own.length).toBe(name === 'a pickle' ? 1 : 0);
    expect(Object.fromEntries(own.map(({ id, status }) => [id, status]))).toEqual({
      'gate/variants/bad/max_size_ratio': 'error',
      'gate/variants/bad/min_agreement': 'error',
      'gate/variants/bad/max_latency_ratio': 'error',
      'gate/variants/int8/max_size_ratio': 'pass',
    });
  });
});

describe('the policy of variants', () => {
  const parsed = (variants: string, evaluation?: string) => parsePolicy(policyOf(variants, evaluation), 'p.yaml');
  const codes = (variants: string, evaluation?: string) => {
    try {
      parsed(variants, evaluation);
      return [];
    } catch (error) {
      return (error as { problems: readonly { code: string }[] }).problems.map(({ code }) => code);
    }
  };

  it('must demand something of variants with names of their own, and rows for what takes rows', () => {
    expect(codes('{ name: a, path: a.onnx }')).toEqual(['no-bound']);
    expect(
      codes('{ name: a, path: a.onnx, max_size_ratio: 1 }\n    - { name: a, path: b.onnx, max_size_ratio: 1 }'),
    ).toEqual(['duplicate-variant']);
    expect(codes('{ name: a, path: a.onnx, min_agreement: 0.9 }', '')).toEqual(['gate-without-evaluation']);
    expect(codes('{ name: a, path: a.onnx, metrics: { accuracy: {} } }')).toEqual(['no-bound']);
  });

  it('is the stricter of both sides, variant by variant', () => {
    const base = parsed(
      '{ name: a, path: a.onnx, min_agreement: 0.9, max_size_ratio: 0.5, metrics: { accuracy: { max_regression: 0.01 } } }',
    );
    const head = parsed(
      '{ name: a, path: b.onnx, min_agreement: 0.8, max_size_ratio: 0.4, severity: warn }\n    - { name: c, path: c.onnx, max_latency_ratio: 1 }',
    );
    expect(stricterOf(base, head).policy.gates?.variants).toEqual([
      {
        name: 'a',
        path: 'b.onnx',
        metrics: { accuracy: { max_regression: 0.01 } },
        min_agreement: 0.9,
        max_size_ratio: 0.4,
      },
      { name: 'c', path: 'c.onnx', max_latency_ratio: 1 },
    ]);
    const gone = parsed('{ name: c, path: c.onnx, max_latency_ratio: 1 }');
    expect(stricterOf(base, gone).policy.gates?.variants?.map(({ name }) => name)).toEqual(['a', 'c']);
  });
});
