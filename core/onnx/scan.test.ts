import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Problem } from '../problem/index.ts';
import { externalDataNames, type ScanOptions } from './inspection.ts';
import {
  classifierModel,
  type ModelToWrite,
  type NodeToWrite,
  type TensorToWrite,
  writeModel,
} from './model-writer.ts';
import { scanModel } from './scan.ts';
import { readStructure } from './structure.ts';
import { WireError, WireReader } from './wire-reader.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-scan-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function scan(content: Uint8Array | string | ModelToWrite, options?: ScanOptions): Promise<readonly Problem[]> {
  const file = join(directory, 'model.onnx');
  const plain = typeof content === 'string' || content instanceof Uint8Array;
  writeFileSync(file, plain ? content : writeModel(content));
  return scanModel(file, options);
}

const withTensor = (tensor: TensorToWrite): ModelToWrite => ({ graph: { nodes: [], initializers: [tensor] } });
const withNode = (node: NodeToWrite): ModelToWrite => ({ graph: { nodes: [node] } });
const codes = (problems: readonly Problem[]): readonly string[] => problems.map(({ code }) => code);

test('an ordinary model has no problems', async () => {
  expect(await scan(classifierModel([[1, 2]], [0, 0]))).toEqual([]);
});

test.each<[string, Uint8Array | string, string, RegExp?]>([
  ['an empty file', '', 'an empty file'],
  [
    'a Git LFS pointer',
    'version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 1\n',
    'a Git LFS pointer, not the model itself',
    /lfs: true/,
  ],
  ['a PNG', Buffer.from('89504e470d0a1a0a0000000d', 'hex'), 'a PNG image'],
  [
    'a pickle',
    Buffer.from('8004951500000000000000', 'hex'),
    'a Python pickle (joblib), which runs code when it is loaded',
    /never unpickles/,
  ],
  [
    'an old pickle',
    Buffer.from('\x80\x02csklearn\nX\n', 'latin1'),
    'a Python pickle (joblib), which runs code when it is loaded',
  ],
  ['a PyTorch checkpoint', 'PK\x03\x04\x00\x00archive/data.pkl', 'a PyTorch checkpoint', /torch\.onnx\.export/],
  ['a ZIP', 'PK\x03\x04\x14\x00notes.txt', 'a ZIP archive'],
  [
    'safetensors',
    Buffer.concat([Buffer.from([80, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('{"w":{"dtype":"F32"}}')]),
    'a safetensors file: weights without a graph',
  ],
  ['HDF5', Buffer.from('894844460d0a1a0a00', 'hex'), 'an HDF5 file, as Keras saves models'],
  [
    'a DVC pointer',
    'outs:\n- md5: 3b\n  size: 12\n  path: model.onnx\n',
    'a DVC pointer, not the model itself',
    /dvc pull/,
  ],
  ['a login page', '<!DOCTYPE html><html><body>Sign in</body></html>', 'an HTML page'],
  ['JSON', '{"model": "x"}', 'a JSON file'],
  ['prose', 'Export the model first, please.\n', 'a text file'],
])('%s is named for what it is', async (_name, content, found, fix = /^/) => {
  const problems = await scan(content);
  expect(problems).toMatchObject([{ code: 'not-onnx', found }]);
  expect(problems[0]?.fix ?? '').toMatch(fix);
});

test('a model that is cut off says how much there should be', async () => {
  const whole = classifierModel([[1, 2]], [0, 0]);
  expect(await scan(whole.subarray(0, 200))).toMatchObject([{ code: 'truncated-model', found: '200 bytes' }]);
});

test('a file that is not there, and a directory, are said to be so', async () => {
  expect(await scanModel(join(directory, 'nothing.onnx'))).toMatchObject([{ code: 'missing-file' }]);
  expect(await scanModel(directory)).toMatchObject([{ code: 'directory-instead-of-file', place: { file: directory } }]);
});

test('problems point at the policy line when there is one, and still name the file', async () => {
  const place = { file: 'sluice.yaml', line: 2, key: 'model.path' };
  const [problem] = await scanModel('models/none.onnx', { place });
  expect(problem?.place).toEqual(place);
  expect(problem?.message).toContain('models/none.onnx');
});

test('a link may lead to a file in the checkout but not out of it', async () => {
  const checkout = join(directory, 'checkout');
  mkdirSync(checkout);
  writeFileSync(join(directory, 'outside.onnx'), classifierModel([[1]], [0]));
  writeFileSync(join(checkout, 'inside.onnx'), classifierModel([[1]], [0]));
  symlinkSync(join(checkout, 'inside.onnx'), join(checkout, 'good.onnx'));
  symlinkSync(join(directory, 'outside.onnx'), join(checkout, 'bad.onnx'));
  expect(await scanModel(join(checkout, 'good.onnx'), { within: checkout })).toEqual([]);
  expect(codes(await scanModel(join(checkout, 'bad.onnx'), { within: checkout }))).toEqual(['model-outside-checkout']);
  expect(codes(await scanModel(join(checkout, '..', 'outside.onnx'), { within: checkout }))).toEqual([
    'model-outside-checkout',
  ]);
});

test('a name that makes ONNX Runtime use another parser is refused', async () => {
  const file = join(directory, 'model.ort');
  writeFileSync(file, classifierModel([[1]], [0]));
  expect(codes(await scanModel(file))).toEqual(['not-onnx']);
});

test.each([
  '../secret',
  '/etc/passwd',
  'C:\\secret',
  'folder/weights.bin',
  '..',
  '.',
  'weights.bin:stream',
  '*/_ORT_MEM_ADDR_/*',
  'a\0b',
])('external data outside the directory is refused: %j', async (location) => {
  const problems = await scan(withTensor({ name: 'w', type: 'float32', dims: [1], external: { location } }));
  expect(codes(problems)).toEqual(['external-data-outside']);
});

test('external data must be a plain file with one name', async () => {
  const tensor = (location: string) => withTensor({ name: 'w', type: 'float32', dims: [1], external: { location } });
  expect(codes(await scan(tensor('weights.bin')))).toEqual(['external-data-missing']);
  writeFileSync(join(directory, 'target.bin'), 'four');
  symlinkSync(join(directory, 'target.bin'), join(directory, 'weights.bin'));
  expect(codes(await scan(tensor('weights.bin')))).toEqual(['external-data-link']);
  rmSync(join(directory, 'weights.bin'));
  linkSync(join(directory, 'target.bin'), join(directory, 'weights.bin'));
  expect(codes(await scan(tensor('weights.bin')))).toEqual(['external-data-link']);
  rmSync(join(directory, 'weights.bin'));
  mkdirSync(join(directory, 'weights.bin'));
  expect(codes(await scan(tensor('weights.bin')))).toEqual(['external-data-not-a-file']);
  rmSync(join(directory, 'weights.bin'), { recursive: true });
  writeFileSync(join(directory, 'weights.bin'), 'version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 4\n');
  expect((await scan(tensor('weights.bin')))[0]?.message).toContain('Git LFS pointer');
  writeFileSync(join(directory, 'weights.bin'), 'four');
  expect(await scan(tensor('weights.bin'))).toEqual([]);
});

test.each<[string, Record<string, string>, string]>([
  ['beyond the end', { offset: '4', length: '4' }, 'external-data-too-short'],
  ['at no number', { offset: '-4', length: '4' }, 'bad-external-data'],
  ['in hexadecimal', { offset: '0x0', length: '4' }, 'bad-external-data'],
  ['of another length', { offset: '0', length: '2' }, 'bad-external-data'],
  ['beyond all numbers', { offset: '18446744073709551615', length: '4' }, 'bad-external-data'],
])('external data %s is refused', async (_name, external, code) => {
  writeFileSync(join(directory, 'w.bin'), 'four');
  const tensor = { name: 'w', type: 'float32', dims: [1], external: { location: 'w.bin', ...external } } as const;
  expect(codes(await scan(withTensor(tensor)))).toEqual([code]);
});

test('external data of a tensor inside an attribute or a subgraph is found too', async () => {
  const tensor: TensorToWrite = { name: 'w', type: 'float32', dims: [1], external: { location: '../w' } };
  const inner = { nodes: [{ operator: 'Constant', attributes: { value: { tensor } } }] };
  expect(codes(await scan(withNode({ operator: 'If', attributes: { then_branch: { graph: inner } } })))).toEqual([
    'external-data-outside',
  ]);
  expect(
    codes(
      await scan({
        graph: { nodes: [] },
        functions: [{ name: 'F', domain: 'f', inputs: [], outputs: [], nodes: inner.nodes }],
      }),
    ),
  ).toEqual(['external-data-outside']);
});

test('operators of unknown domains are refused, unless the model defines them or the caller allows them', async () => {
  const model = withNode({ operator: 'Magic', domain: 'wizards' });
  expect(await scan(model)).toMatchObject([{ code: 'custom-operator', found: 'wizards.Magic' }]);
  expect(await scan(model, { domains: ['ai.onnx', 'wizards'] })).toEqual([]);
  const defined = [{ name: 'Magic', domain: 'wizards', inputs: [], outputs: [], nodes: [] }];
  expect(await scan({ ...model, functions: defined })).toEqual([]);
});

test.each(['PythonOp', 'EPContext'])('%s is refused even in an allowed domain', async (operator) => {
  const functions = [{ name: operator, domain: 'com.microsoft', inputs: [], outputs: [], nodes: [] }];
  const model = { ...withNode({ operator, domain: 'com.microsoft' }), functions };
  expect(codes(await scan(model))).toEqual(['forbidden-operator']);
});

test.each<[string, TensorToWrite, string]>([
  [
    'more raw bytes than it has',
    { name: 'w', type: 'float32', dims: [1e9], raw: new Uint8Array(4) },
    'tensor-size-mismatch',
  ],
  ['no bytes at all', { name: 'w', type: 'float64', dims: [3] }, 'tensor-size-mismatch'],
  ['more floats than it has', { name: 'w', type: 'float32', dims: [3], floats: [1, 2] }, 'tensor-size-mismatch'],
  ['fewer integers than it has', { name: 'w', type: 'int64', dims: [1], integers: [1, -2] }, 'tensor-size-mismatch'],
  ['more strings than it has', { name: 'w', type: 'string', dims: [2], strings: ['a'] }, 'tensor-size-mismatch'],
  ['a negative size', { name: 'w', type: 'float32', dims: [-1], raw: new Uint8Array(4) }, 'bad-tensor-shape'],
  [
    'more elements than numbers reach',
    { name: 'w', type: 'int8', dims: [2 ** 40, 2 ** 40], raw: new Uint8Array(1) },
    'bad-tensor-shape',
  ],
])('a tensor that declares %s is refused', async (_name, tensor, code) => {
  expect(codes(await scan(withTensor(tensor)))).toEqual([code]);
});

test.each<[string, TensorToWrite]>([
  ['packed floats', { type: 'float32', dims: [2], floats: [1, 2] }],
  ['negative integers', { type: 'int64', dims: [3], integers: [-1, 2, -3] }],
  ['half floats as integers', { type: 'float16', dims: [2], integers: [15360, 0] }],
  ['four-bit integers, two a byte', { type: 'int4', dims: [3], raw: new Uint8Array(2) }],
  ['strings', { type: 'string', dims: [2], strings: ['a', ''] }],
  ['nothing', { type: 'float32', dims: [0, 2 ** 50], raw: new Uint8Array(0) }],
  ['a scalar', { type: 'bool', dims: [], raw: new Uint8Array(1) }],
])('a tensor of %s is as it should be', async (_name, tensor) => {
  expect(await scan(withTensor(tensor))).toEqual([]);
});

test('a sparse tensor of a few bytes that would fill the memory when dense is refused', async () => {
  const sparse = (size: number): ModelToWrite => ({
    graph: {
      nodes: [],
      sparse: [
        {
          values: { name: 'w', type: 'float32', dims: [1], floats: [1] },
          indices: { name: 'i', type: 'int64', dims: [1], integers: [0] },
          dims: [size, size],
        },
      ],
    },
  });
  expect(await scan(sparse(100))).toEqual([]);
  expect(codes(await scan(sparse(100_000)))).toEqual(['tensor-too-large']);
  expect(codes(await scan(sparse(100), { maximumTensorBytes: 1000 }))).toEqual(['tensor-too-large']);
});

test('a model over the size limit is refused, external data included', async () => {
  const model = classifierModel([[1, 2]], [0, 0]);
  expect(codes(await scan(model, { maximumBytes: 100 }))).toEqual(['model-too-large']);
  writeFileSync(join(directory, 'w.bin'), Buffer.alloc(4000));
  const external = withTensor({ name: 'w', type: 'float32', dims: [1000], external: { location: 'w.bin' } });
  expect(codes(await scan(external, { maximumBytes: 4000 }))).toEqual(['model-too-large']);
});

test('graphs nested deeper than protobuf allows are refused', async () => {
  let graph: ModelToWrite['graph'] = { nodes: [{ operator: 'Identity' }] };
  for (let depth = 0; depth < 40; depth++)
    graph = { nodes: [{ operator: 'If', attributes: { then_branch: { graph } } }] };
  expect(await scan({ graph })).toMatchObject([
    { code: 'not-onnx', found: expect.stringContaining('nested too deeply') },
  ]);
});

test('a second graph, which readers may merge differently, is refused', async () => {
  const model = Buffer.from(classifierModel([[1]], [0]));
  expect(await scan(Buffer.concat([model, model]))).toMatchObject([
    { code: 'not-onnx', found: expect.stringContaining('second graph') },
  ]);
});

const seed = writeModel({
  opsets: { 'ai.onnx': 17, 'ai.onnx.ml': 3 },
  graph: {
    nodes: [
      { operator: 'MatMul', inputs: ['X', 'w'], outputs: ['a'] },
      {
        operator: 'LinearRegressor',
        domain: 'ai.onnx.ml',
        attributes: { coefficients: { floats: [1, 2] }, name: { string: 'n' } },
      },
      { operator: 'If', attributes: { then_branch: { graph: { nodes: [{ operator: 'Identity' }] } } } },
    ],
    inputs: [{ name: 'X', type: 'float32', shape: ['batch', 2] }],
    outputs: [{ name: 'z', type: { sequenceOfMaps: ['int64', 'float32'] } }],
    initializers: [
      { name: 'w', type: 'float32', dims: [2], floats: [1, 2] },
      { name: 'e', type: 'int64', dims: [2], external: { location: 'e.bin', offset: '0', length: '16' } },
    ],
  },
  functions: [{ name: 'F', domain: 'f', inputs: ['a'], outputs: ['b'], nodes: [{ operator: 'Neg' }] }],
});

/** Either a structure or a WireError: anything else is a bug. The reader is given a small step, so that windows end everywhere. */
function walk(content: Uint8Array, step: number): 'structure' | 'error' {
  const read = (buffer: Uint8Array, position: number): number => {
    const part = content.subarray(position, position + (buffer.length < content.length ? buffer.length : step));
    buffer.set(part);
    return part.length;
  };
  try {
    readStructure(new WireReader(read, content.length), { tensorBytes: 2 ** 31 });
    return 'structure';
  } catch (cause) {
    if (cause instanceof WireError) return 'error';
    throw cause;
  }
}

test('the same model read in steps of any size has the same structure', () => {
  expect(walk(seed, seed.length)).toBe('structure');
});

test('whatever is cut, changed or put into a model, it is read or refused, never more', () => {
  const change = fc.record({ at: fc.nat(seed.length - 1), with: fc.uint8Array({ maxLength: 12 }), remove: fc.nat(12) });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat(seed.length), (changes, cut) => {
      let content: Uint8Array = seed;
      for (const { at, with: inserted, remove } of changes) {
        content = Buffer.concat([content.subarray(0, at), inserted, content.subarray(at + remove)]);
      }
      walk(content, content.length || 1);
      walk(content.subarray(0, cut), content.length || 1);
    }),
    { numRuns: 2000 },
  );
});

test('a single changed byte anywhere is read or refused', () => {
  for (let at = 0; at < seed.length; at++) {
    for (const bit of [0, 3, 7]) {
      const content = Uint8Array.from(seed);
      content[at] = (content[at] ?? 0) ^ (1 << bit);
      walk(content, content.length);
    }
  }
});

test('random bytes are refused as a file, with one problem', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (content) => {
      const problems = await scan(content);
      expect(problems).toHaveLength(1);
      expect(['not-onnx', 'truncated-model']).toContain(problems[0]?.code);
    }),
    { numRuns: 200 },
  );
});

test('the files that hold weights are named for bringing them, those that may not be read left out', async () => {
  const external = (location: string) => ({ name: location, type: 'int8', dims: [1], external: { location } }) as const;
  const locations = ['b.bin', 'a weights.bin', 'b.bin', '../up', '/etc/passwd', 'sub/x', '.', '', 'C:x'];
  const file = join(directory, 'model.onnx');
  writeFileSync(file, writeModel({ graph: { nodes: [], initializers: locations.map(external) } }));
  expect(await externalDataNames(file)).toEqual(['a weights.bin', 'b.bin']);
  writeFileSync(file, 'no model');
  expect(await externalDataNames(file)).toEqual([]);
  expect(await externalDataNames(join(directory, 'absent.onnx'))).toEqual([]);
});
