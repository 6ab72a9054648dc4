import { mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { silentHost } from '../host/index.ts';
import { ModelError } from '../problem/index.ts';
import { openModel } from './model.ts';
import { classifierModel, identityModel, linearModel, type ModelToWrite, writeModel } from './model-writer.ts';
import { unsafeNeighbours } from './neighbours.ts';
import type { Feeds, Tensor } from './tensor.ts';
import { coldStartOf, Timer } from './timer.ts';

const directory = mkdtempSync(join(tmpdir(), 'sluice-model-'));
afterAll(() => rm(directory, { recursive: true, force: true }));

let files = 0;
function save(content: Uint8Array | ModelToWrite): string {
  const file = join(directory, `model-${files++}.onnx`);
  writeFileSync(file, content instanceof Uint8Array ? content : writeModel(content));
  return file;
}

async function errorOf(work: Promise<unknown>): Promise<ModelError> {
  const failure = await work.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (failure instanceof ModelError) return failure;
  throw new Error(`expected a ModelError, got ${String(failure)}`);
}

const float = (values: readonly number[], dims: readonly number[]): Tensor => ({
  type: 'float32',
  data: Float32Array.from(values),
  dims,
});

test('a linear model gives what its weights say', async () => {
  await using model = await openModel(
    save(
      linearModel(
        [
          [1, 10],
          [2, 20],
        ],
        [0.5, -1],
      ),
    ),
  );
  expect(await model.run({ X: float([1, 1, 3, 0], [2, 2]) })).toEqual({ Y: float([3.5, 29, 3.5, 29], [2, 2]) });
});

test('a classifier gives labels as 64-bit integers and probabilities that add up', async () => {
  await using model = await openModel(save(classifierModel([[1, -1]], [0, 0])));
  const { label, probabilities } = await model.run({ X: float([5, -5], [2, 1]) });
  expect(label).toEqual({ type: 'int64', data: BigInt64Array.of(0n, 1n), dims: [2] });
  expect(probabilities?.data[0]).toBeCloseTo(1, 4);
});

test.each<Tensor>([
  { type: 'float32', data: Float32Array.of(1.5, Number.NaN), dims: [1, 2] },
  { type: 'float64', data: Float64Array.of(0.1, -1e300), dims: [1, 2] },
  { type: 'float16', data: Float32Array.of(0.5, -2), dims: [1, 2] },
  { type: 'int64', data: BigInt64Array.of(-1n, 2n ** 62n), dims: [1, 2] },
  { type: 'uint64', data: BigUint64Array.of(1n, 2n ** 64n - 1n), dims: [1, 2] },
  { type: 'int32', data: Int32Array.of(-1, 7), dims: [1, 2] },
  { type: 'uint32', data: Uint32Array.of(1, 2 ** 32 - 1), dims: [1, 2] },
  { type: 'int16', data: Int16Array.of(-1, 7), dims: [1, 2] },
  { type: 'uint16', data: Uint16Array.of(1, 65535), dims: [1, 2] },
  { type: 'int8', data: Int8Array.of(-1, 7), dims: [1, 2] },
  { type: 'uint8', data: Uint8Array.of(1, 255), dims: [1, 2] },
  { type: 'bool', data: Uint8Array.of(1, 0), dims: [1, 2] },
  { type: 'string', data: ['서울', ''], dims: [1, 2] },
])('$type tensors go in and come out unchanged', async (tensor) => {
  await using model = await openModel(save(identityModel(tensor.type)));
  expect(await model.run({ X: tensor })).toEqual({ Y: tensor });
});

test('a batch of no rows is possible', async () => {
  await using model = await openModel(save(linearModel([[1]], [0])));
  expect(await model.run({ X: float([], [0, 1]) })).toEqual({ Y: float([], [0, 1]) });
});

test.each<[string, Feeds, string, string, string]>([
  [
    'another type',
    { X: { type: 'float64', data: new Float64Array(2), dims: [1, 2] } },
    'wrong-input-type',
    'float64 [1, 2]',
    'float32 [batch, 2]',
  ],
  ['too many columns', { X: float([1, 2, 3], [1, 3]) }, 'wrong-input-shape', 'float32 [1, 3]', 'float32 [batch, 2]'],
  ['another rank', { X: float([1, 2], [2]) }, 'wrong-input-shape', 'float32 [2]', 'float32 [batch, 2]'],
  ['too few values', { X: float([1], [1, 2]) }, 'wrong-input-shape', '1 values', '2 for [1, 2]'],
  ['no input', {}, 'missing-input', 'no inputs', 'float32 [batch, 2]'],
])('a feed with %s is refused before it runs', async (_name, feeds, code, found, expected) => {
  await using model = await openModel(save(linearModel([[1], [2]], [0])));
  const { problems } = await errorOf(model.run(feeds));
  expect(problems).toMatchObject([{ code, found, expected }]);
  expect(problems[0].message).toContain('"X"');
});

test('every wrong input is named at once', async () => {
  await using model = await openModel(save(identityModel()));
  const { problems } = await errorOf(model.run({ age: float([1], [1]), toString: float([1], [1]) }));
  expect(problems.map(({ code }) => code)).toEqual(['missing-input', 'unknown-input', 'unknown-input']);
});

test('values in the wrong kind of array are refused by name', async () => {
  await using model = await openModel(save(identityModel()));
  const wrong = { type: 'float32', data: [1, 2], dims: [1, 2] } as unknown as Tensor;
  const { problems } = await errorOf(model.run({ X: wrong }));
  expect(problems).toMatchObject([{ code: 'wrong-input-type', found: 'Array', expected: 'Float32Array for float32' }]);
});

const zipMap: ModelToWrite = {
  opsets: { 'ai.onnx': 17, 'ai.onnx.ml': 1 },
  graph: {
    nodes: [
      {
        operator: 'ZipMap',
        domain: 'ai.onnx.ml',
        inputs: ['X'],
        outputs: ['Z'],
        attributes: { classlabels_int64s: { ints: [0, 1] } },
      },
      { operator: 'Identity', inputs: ['X'], outputs: ['Y'] },
    ],
    inputs: [{ name: 'X', type: 'float32', shape: ['?', 2] }],
    outputs: [
      { name: 'Y', type: 'float32', shape: ['?', 2] },
      { name: 'Z', type: { sequenceOfMaps: ['int64', 'float32'] } },
    ],
  },
};

test("scikit-learn's maps of probabilities are refused with the export option that avoids them", async () => {
  await using model = await openModel(save(zipMap));
  const feeds = { X: float([0.25, 0.75], [1, 2]) };
  const { problems } = await errorOf(model.run(feeds));
  expect(problems).toMatchObject([{ code: 'unsupported-type', found: 'sequence(map(int64, tensor(float32)))' }]);
  expect(problems[0].fix).toContain("{'zipmap': False}");
  expect(await model.run(feeds, ['Y'])).toEqual({ Y: feeds.X });
});

test('an output the model does not have is refused', async () => {
  await using model = await openModel(save(identityModel()));
  const { problems } = await errorOf(model.run({ X: float([1, 2], [1, 2]) }, ['label']));
  expect(problems).toMatchObject([{ code: 'unknown-output', expected: 'one of "Y"' }]);
});

test('an unsafe model is never loaded, and all its problems come at once', async () => {
  const file = save({
    graph: {
      nodes: [{ operator: 'Magic', domain: 'wizards' }],
      initializers: [
        { name: 'a', type: 'float32', dims: [1], external: { location: '../a' } },
        { name: 'b', type: 'float32', dims: [9] },
      ],
    },
  });
  const { problems } = await errorOf(openModel(file));
  expect(problems.map(({ code }) => code)).toEqual([
    'external-data-outside',
    'custom-operator',
    'tensor-size-mismatch',
  ]);
});

test('what ONNX Runtime itself refuses is wrapped, with the place', async () => {
  const place = { file: 'sluice.yaml', line: 3, key: 'model.path' };
  const unknown = await errorOf(openModel(save(nonsense), { place }));
  expect(unknown.problems).toMatchObject([{ code: 'load-failed', place }]);
  expect(unknown.problems[0].found).toContain('Nonsense');
  const future = await errorOf(openModel(save({ ...identity, opsets: { 'ai.onnx': 999 } })));
  expect(future.problems[0].fix).toContain('target_opset');
});

const nonsense: ModelToWrite = {
  graph: {
    nodes: [{ operator: 'Nonsense', inputs: ['X'], outputs: ['Y'] }],
    inputs: [{ name: 'X', type: 'float32', shape: ['n'] }],
    outputs: [{ name: 'Y', type: 'float32', shape: ['n'] }],
  },
};
const identity: ModelToWrite = {
  graph: {
    nodes: [{ operator: 'Identity', inputs: ['X'], outputs: ['Y'] }],
    inputs: [{ name: 'X', type: 'float32', shape: ['n'] }],
    outputs: [{ name: 'Y', type: 'float32', shape: ['n'] }],
  },
};

test('a model that gives nothing is refused in so many words', async () => {
  const file = save({ graph: { nodes: [], inputs: [{ name: 'X', type: 'float32', shape: ['n'] }] } });
  expect((await errorOf(openModel(file))).problems).toMatchObject([{ code: 'no-outputs', place: { file } }]);
});

test('an error while running is wrapped', async () => {
  const gather: ModelToWrite = {
    graph: {
      nodes: [{ operator: 'Gather', inputs: ['X', 'i'], outputs: ['Y'] }],
      inputs: [
        { name: 'X', type: 'float32', shape: ['n'] },
        { name: 'i', type: 'int64', shape: ['m'] },
      ],
      outputs: [{ name: 'Y', type: 'float32', shape: ['m'] }],
    },
  };
  await using model = await openModel(save(gather));
  const outside: Tensor = { type: 'int64', data: BigInt64Array.of(99n), dims: [1] };
  const { problems } = await errorOf(model.run({ X: float([1], [1]), i: outside }));
  expect(problems).toMatchObject([{ code: 'run-failed', found: expect.stringContaining('99') }]);
});

test('weights in an external file are used', async () => {
  writeFileSync(join(directory, 'weights.bin'), new Uint8Array(Float32Array.of(0, 7, 8).buffer));
  const file = save({
    graph: {
      nodes: [{ operator: 'Add', inputs: ['X', 'w'], outputs: ['Y'] }],
      inputs: [{ name: 'X', type: 'float32', shape: [2] }],
      outputs: [{ name: 'Y', type: 'float32', shape: [2] }],
      initializers: [
        { name: 'w', type: 'float32', dims: [2], external: { location: 'weights.bin', offset: '4', length: '8' } },
      ],
    },
  });
  await using model = await openModel(file);
  expect(await model.run({ X: float([1, 1], [2]) })).toEqual({ Y: float([8, 9], [2]) });
});

test('a closed model says so, and closing twice is fine', async () => {
  const model = await openModel(save(identityModel()));
  await model.close();
  await model.close();
  expect((await errorOf(model.run({ X: float([1, 2], [1, 2]) }))).problems[0].code).toBe('model-closed');
});

describe('files beside a model', () => {
  const beside = async (files: Readonly<Record<string, Uint8Array | string>>) => {
    const folder = mkdtempSync(join(directory, 'neighbours-'));
    writeFileSync(join(folder, 'model.onnx'), identityModel());
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    const warnings: string[] = [];
    const host = { ...silentHost, warning: (message: string) => warnings.push(message) };
    await (await openModel(join(folder, 'model.onnx'), { host })).close();
    return { warnings, found: await unsafeNeighbours(join(folder, 'model.onnx')) };
  };
  const zip = Buffer.concat([Buffer.from('504b0304', 'hex'), Buffer.alloc(26), Buffer.from('archive/data.pkl')]);

  test('that only hold data are nothing to speak of', async () => {
    const safetensors = Buffer.concat([Buffer.from([2, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('{}{}')]);
    const files = {
      'data.csv': 'a,b\n1,2\n',
      'config.json': '{}',
      'README.md': '# churn',
      'w.safetensors': safetensors,
      'empty.txt': '',
      'latin.csv': Buffer.from('caf\xe9,1\n', 'latin1'),
      'rows.csv.gz': gzipSync('a,b\n1,2\n'.repeat(5000)),
      'rows.jsonl.zst': zstdCompressSync('{"a":1}\n'.repeat(5000)),
      'weights.npy': Buffer.from(
        "\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }",
        'latin1',
      ),
      'rows.parquet': 'PAR1',
      '.DS_Store': Buffer.from('\0\0\0\x01Bud1', 'latin1'),
      'other.onnx': identityModel(),
    };
    expect(await beside(files)).toEqual({ warnings: [], found: [] });
  });

  test('that another model there names as its weights are weights', async () => {
    const weights = Buffer.from(new Float32Array([1, 2]).buffer);
    const graph: ModelToWrite['graph'] = {
      nodes: [{ operator: 'Add', inputs: ['X', 'w'], outputs: ['Y'] }],
      inputs: [{ name: 'X', type: 'float32', shape: [2] }],
      outputs: [{ name: 'Y', type: 'float32', shape: [2] }],
      initializers: [{ name: 'w', type: 'float32', dims: [2], external: { location: 'student.bin', length: '8' } }],
    };
    const found = { 'student.onnx': Buffer.from(writeModel({ graph })), 'student.bin': weights };
    expect((await beside(found)).found).toEqual([]);
    expect((await beside({ 'student.bin': weights })).found).toEqual([
      { name: 'student.bin', kind: expect.any(String) },
    ]);
  });

  test('are looked at through links, and however many there are', async () => {
    const folder = mkdtempSync(join(directory, 'neighbours-'));
    writeFileSync(join(folder, 'model.onnx'), identityModel());
    writeFileSync(join(directory, 'elsewhere.pkl'), Buffer.from('80049515', 'hex'));
    symlinkSync(join(directory, 'elsewhere.pkl'), join(folder, 'link.txt'));
    symlinkSync(join(folder, 'nowhere'), join(folder, 'broken'));
    expect((await unsafeNeighbours(join(folder, 'model.onnx'))).map(({ name }) => name)).toEqual(['link.txt']);
    for (let at = 0; at < 5001; at++) writeFileSync(join(folder, `${at}.txt`), '');
    expect(await unsafeNeighbours(join(folder, 'model.onnx'))).toContainEqual(
      expect.objectContaining({ kind: expect.stringContaining('more than are looked at') }),
    );
  });

  test.each([
    ['a pickle', 'model.pkl', Buffer.from('80049515', 'hex'), /pickle/],
    ['a pickle that is called text', 'notes.txt', Buffer.from('80049515', 'hex'), /pickle/],
    ['a PyTorch checkpoint', 'model.pt', zip, /PyTorch checkpoint/],
    ['an HDF5 file of Keras', 'model.h5', Buffer.from('\x89HDF\r\n\x1a\n', 'latin1'), /HDF5/],
    ['a Linux program', 'custom_ops.so', Buffer.from('\x7fELF\x02\x01', 'latin1'), /program/],
    ['a Windows program', 'custom_ops.dll', Buffer.from('MZ\x90\x00', 'latin1'), /program/],
    ['a pickle of protocol 0', 'model.txt', "cos\nsystem\n(S'id'\ntR.", /pickle/],
    ['a dictionary pickled as text', 'model.json', "(dp0\nS'a'\np1\nI1\ns.", /pickle/],
    [
      'a compressed pickle',
      'model.pkl.gz',
      gzipSync(Buffer.from('80049515', 'hex')),
      /compressed file, and in it a Python pickle/,
    ],
    ['a pickle in Zstandard', 'model.zst', zstdCompressSync(Buffer.from('80049515', 'hex')), /in it a Python pickle/],
    [
      'an array of objects',
      'rows.npy',
      Buffer.from("\x93NUMPY\x01\x00v\x00{'descr': '|O', 'shape': (3,), }", 'latin1'),
      /objects/,
    ],
    ['an archive', 'model.zip', Buffer.concat([Buffer.from('504b0304', 'hex'), Buffer.alloc(60)]), /ZIP/],
    ['what nobody knows', 'model.bin', Buffer.from([1, 2, 3, 4]), /no known kind/],
  ])('that are no data are told by their first bytes: %s', async (_what, name, content, kind) => {
    const { warnings, found } = await beside({ [name]: content, 'data.csv': 'a\n1\n' });
    expect(found).toEqual([{ name, kind: expect.stringMatching(kind) }]);
    expect(warnings).toEqual([expect.stringContaining(name)]);
  });
});

describe('a model that asks for more than any machine has', () => {
  const floatOut = [{ name: 'Y', type: 'float32', shape: ['n'] }] as const;
  /** As large as its input says. */
  const byInput: ModelToWrite = {
    graph: {
      nodes: [{ operator: 'ConstantOfShape', inputs: ['X'], outputs: ['Y'] }],
      inputs: [{ name: 'X', type: 'int64', shape: [1] }],
      outputs: floatOut,
    },
  };
  /** Goes round as often as an integer can count. */
  const endless: ModelToWrite = {
    graph: {
      nodes: [
        {
          operator: 'Loop',
          inputs: ['rounds', 'go', 'X'],
          outputs: ['Y'],
          attributes: {
            body: {
              graph: {
                nodes: [
                  { operator: 'Identity', inputs: ['on'], outputs: ['still'] },
                  { operator: 'Sin', inputs: ['value'], outputs: ['next'] },
                ],
                inputs: [
                  { name: 'round', type: 'int64', shape: [] },
                  { name: 'on', type: 'bool', shape: [] },
                  { name: 'value', type: 'float32', shape: ['n'] },
                ],
                outputs: [
                  { name: 'still', type: 'bool', shape: [] },
                  { name: 'next', type: 'float32', shape: ['n'] },
                ],
              },
            },
          },
        },
      ],
      inputs: [{ name: 'X', type: 'float32', shape: ['n'] }],
      outputs: floatOut,
      initializers: [
        { name: 'rounds', type: 'int64', dims: [], integers: [Number.MAX_SAFE_INTEGER] },
        { name: 'go', type: 'bool', dims: [], raw: Uint8Array.of(1) },
      ],
    },
  };
  const size = (elements: bigint): Feeds => ({ X: { type: 'int64', data: BigInt64Array.of(elements), dims: [1] } });

  test('of memory is an error of the model, and stays one', async () => {
    await using model = await openModel(save(byInput), { limits: { memoryBytes: 400_000_000 } });
    expect((await model.run(size(2n))).Y).toEqual(float([0, 0], [2]));
    const { problems } = await errorOf(model.run(size(400_000_000n)));
    expect(problems).toMatchObject([{ code: 'model-exhausts-memory', found: 'more than 381 MiB' }]);
    expect(problems[0].fix).toContain('ConstantOfShape');
    expect((await errorOf(model.run(size(2n)))).problems[0].code).toBe('model-exhausts-memory');
  });

  test('of memory no machine has is told without the lines of ONNX Runtime’s source', async () => {
    await using model = await openModel(save(byInput));
    const { problems } = await errorOf(model.run(size(2n ** 45n)));
    expect(problems[0].code).toBe('model-exhausts-memory');
    expect(problems[0].found).toContain('of size 140737488355328');
    expect(problems[0].found).not.toMatch(/\.cc|::/);
  });

  test('of time is ended by the limit', async () => {
    await using model = await openModel(save(endless), { limits: { milliseconds: 4000 } });
    const { problems } = await errorOf(model.run({ X: float([1], [1]) }));
    expect(problems).toMatchObject([{ code: 'model-too-slow', found: 'more than 4 s' }]);
  });

  test('that grows only while it is timed ends that process, and is an error of the model', async () => {
    await using model = await openModel(save(byInput));
    const fits = await model.forTiming(size(2n));
    await using timer = await Timer.start({ limits: { memoryBytes: 400_000_000 } });
    await timer.open('fits', fits);
    const feeds = { X: { type: 'int64', data: BigInt64Array.of(400_000_000n), dims: [1] } };
    await timer.open('large', { ...fits, feeds }, 'fits');
    const timed = timer.time({ rounds: [['large']], calls: 1, milliseconds: 1000 });
    expect((await errorOf(timed)).problems[0].code).toBe('model-exhausts-memory');
    expect((await errorOf(timer.time({ rounds: [['fits']], calls: 1, milliseconds: 1000 }))).problems[0].code).toBe(
      'model-exhausts-memory',
    );
  });

  test('is tried under the limits before it is timed', async () => {
    await using model = await openModel(save(endless), { limits: { milliseconds: 4000 } });
    expect((await errorOf(model.forTiming({ X: float([1], [1]) }))).problems[0].code).toBe('model-too-slow');
  });
});

describe('a model that is timed', () => {
  const feeds = { X: float([1, 2], [1, 2]) };

  test('is neither scanned nor warned of again', async () => {
    const folder = mkdtempSync(join(directory, 'timed-'));
    writeFileSync(join(folder, 'model.onnx'), identityModel());
    writeFileSync(join(folder, 'model.pkl'), Buffer.from('80049515', 'hex'));
    const warnings: string[] = [];
    const host = { ...silentHost, warning: (message: string) => warnings.push(message) };
    await using model = await openModel(join(folder, 'model.onnx'), { host });
    await using timer = await Timer.start();
    const seats = ['a', 'b', 'c'];
    for (const seat of seats) await timer.open(seat, await model.forTiming(feeds));
    const visits = await timer.time({ rounds: [seats, seats.toReversed()], calls: 4, milliseconds: 60_000 });
    expect(visits.map(({ length }) => length)).toEqual([4, 4, 4, 4, 4, 4]);
    expect(visits.every((times) => times.every((ms) => ms > 0))).toBe(true);
    await timer.release('b');
    expect(timer.seats).toEqual(['a', 'c']);
    expect(warnings).toHaveLength(1);
  });

  test('is called in one round at least, and in none that begins after its time', async () => {
    await using model = await openModel(save(identityModel()));
    await using timer = await Timer.start();
    await timer.open('a', await model.forTiming(feeds));
    expect(await timer.time({ rounds: Array(1000).fill(['a']), calls: 2, milliseconds: -1 })).toHaveLength(1);
  });

  test('shares a session with another batch size where it is told to', async () => {
    await using model = await openModel(save(identityModel()));
    await using timer = await Timer.start();
    await timer.open('1', await model.forTiming(feeds));
    await timer.open('2', await model.forTiming({ X: float([1, 2, 3, 4], [2, 2]) }), '1');
    expect(await timer.time({ rounds: [['1', '2']], calls: 1, milliseconds: 1000 })).toHaveLength(2);
  });

  test('says how long it took to begin, and what memory that took', async () => {
    const weights = Array.from({ length: 3000 }, () => Array(3000).fill(0.5));
    const file = save(linearModel(weights, Array(3000).fill(0)));
    await using model = await openModel(file);
    const ready = await model.forTiming({ X: float(Array(3000).fill(1), [1, 3000]) });
    const { loadMs, firstMs, memoryBefore, memoryPeak } = await coldStartOf(ready);
    expect(loadMs).toBeGreaterThan(0);
    expect(firstMs).toBeGreaterThan(0);
    // Nine million floats of four bytes.
    expect(memoryPeak - memoryBefore).toBeGreaterThan(36e6);
    expect(memoryPeak - memoryBefore).toBeLessThan(500e6);
  });

  test.each(['model.onnx', 'weights.bin'])('is the one that was scanned: %s may not change meanwhile', async (name) => {
    const folder = mkdtempSync(join(directory, 'changed-'));
    const weights = new Uint8Array(Float32Array.of(7, 8).buffer);
    writeFileSync(join(folder, 'weights.bin'), weights);
    const external = writeModel({
      graph: {
        nodes: [{ operator: 'Add', inputs: ['X', 'w'], outputs: ['Y'] }],
        inputs: [{ name: 'X', type: 'float32', shape: [1, 2] }],
        outputs: [{ name: 'Y', type: 'float32', shape: [1, 2] }],
        initializers: [{ name: 'w', type: 'float32', dims: [2], external: { location: 'weights.bin' } }],
      },
    });
    writeFileSync(join(folder, 'model.onnx'), external);
    await using model = await openModel(join(folder, 'model.onnx'));
    await using timer = await Timer.start();
    const ready = await model.forTiming(feeds);
    await timer.open('before', ready);
    // The same bytes, written again: nobody can know that they are without reading them.
    writeFileSync(join(folder, name), name === 'weights.bin' ? weights : external);
    expect((await errorOf(timer.open('after', ready))).problems[0].code).toBe('model-changed');
    expect((await errorOf(coldStartOf(ready))).problems[0].code).toBe('model-changed');
  });

  test('refuses feeds that do not fit', async () => {
    await using model = await openModel(save(identityModel()));
    expect((await errorOf(model.forTiming({}))).problems[0].code).toBe('missing-input');
  });
});

test('problems call the model by its name in the policy and hold no path of this machine', async () => {
  const place = { file: 'sluice.yaml', line: 3 };
  for (const file of [save(nonsense), save(Buffer.from('no model')), join(directory, 'absent.onnx')]) {
    const { message } = await errorOf(openModel(file, { place, name: 'models/m.onnx' }));
    expect(message).toContain('models/m.onnx');
    expect(message).not.toContain(directory);
  }
});
