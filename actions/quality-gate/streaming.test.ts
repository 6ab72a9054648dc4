import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { floatTensor, linearModel, type ModelToWrite, writeModel } from '../../core/onnx/index.ts';
import { checkOf, csv, judge } from './scene.ts';

const rows = 5000;
const policy = [
  'version: 1',
  'model: { path: m.onnx, baseline: { path: b.onnx } }',
  'evaluation: { source: e.csv, target: y }',
  'gates: { mae: { max: 1, max_regression: 0.1 }, rmse: { max: 1 } }',
].join('\n');
const table = csv(
  ['x', 'y'],
  Array.from({ length: rows }, (_, x) => [x / 100, x / 50 + ((x * 7) % 11) / 20]),
);

/** `Y = 2 X`, of a number of rows a call that is fixed. */
function ofBatch(batch: number | string, type: 'float32' | 'int64' = 'float32'): Uint8Array {
  const cast: ModelToWrite['graph']['nodes'] =
    type === 'float32' ? [] : [{ operator: 'Cast', inputs: ['X'], outputs: ['F'], attributes: { to: { int: 1 } } }];
  return writeModel({
    graph: {
      nodes: [...cast, { operator: 'MatMul', inputs: [type === 'float32' ? 'X' : 'F', 'W'], outputs: ['Y'] }],
      inputs: [{ name: 'X', type, shape: [batch, 1] }],
      outputs: [{ name: 'Y', type: 'float32', shape: [batch, 1] }],
      initializers: [floatTensor('W', [1, 1], [2])],
    },
  });
}

describe('models that fix how many rows a call has', () => {
  it.each([1, 3, 4096, 4999, 6000])('of %d rows are judged as those that take any', async (batch) => {
    const other = ofBatch('n');
    const free = await judge({ policy, files: { 'm.onnx': ofBatch('n'), 'b.onnx': other, 'e.csv': table } });
    const fixed = await judge({ policy, files: { 'm.onnx': ofBatch(batch), 'b.onnx': other, 'e.csv': table } });
    for (const id of ['gate/mae/max', 'gate/mae/max_regression', 'gate/rmse/max']) {
      const { status, observed, evidence } = checkOf(fixed, id);
      expect({ status, observed, evidence }).toEqual({
        status: checkOf(free, id).status,
        observed: checkOf(free, id).observed,
        evidence: checkOf(free, id).evidence,
      });
    }
  });
});

describe('a row in a late batch', () => {
  const late = 4500;
  const lines = table.split('\n');
  const withCell = (cell: string) => lines.with(late, `${cell},${lines[late]?.split(',')[1]}`).join('\n');

  it('that does not fit an input is named, before anything runs', async () => {
    const whole = csv(
      ['x', 'y'],
      Array.from({ length: rows }, (_, x) => [x === late - 1 ? 0.5 : x, 2 * x]),
    );
    const files = { 'm.onnx': ofBatch('n', 'int64'), 'b.onnx': ofBatch('n'), 'e.csv': whole };
    await expect(judge({ policy, files })).rejects.toThrow(/1 value of the column "x" does not fit/);
    await expect(judge({ policy, files })).rejects.toMatchObject({
      problems: [{ code: 'input-value', found: `row ${late}` }],
    });
  });

  it('whose empty cell becomes NaN is named with what came of it', async () => {
    const files = { 'm.onnx': ofBatch('n'), 'b.onnx': ofBatch('n'), 'e.csv': withCell('') };
    const { status, message } = checkOf(await judge({ policy, files }), 'gate/mae/max');
    expect(status).toBe('error');
    expect(message).toContain(`predicts NaN or infinity in 1 row (row ${late})`);
  });

  it('that only the baseline cannot take leaves the candidate judged', async () => {
    const files = { 'm.onnx': ofBatch('n'), 'b.onnx': ofBatch('n', 'int64'), 'e.csv': withCell('0.5') };
    const judgement = await judge({ policy, files });
    expect(checkOf(judgement, 'gate/mae/max').status).toBe('pass');
    expect(checkOf(judgement, 'gate/mae/max_regression').message).toContain('do not fit');
  });
});

/** The processes that a process has started, and they. */
function descendantsOf(pid: number): number[] {
  const own = existsSync(`/proc/${pid}/task`)
    ? readdirSync(`/proc/${pid}/task`).flatMap((task) =>
        readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
      )
    : [];
  return own.flatMap((child) => [child, ...descendantsOf(child)]);
}

async function until(what: () => boolean): Promise<void> {
  for (let waited = 0; !what(); waited++) {
    if (waited > 1500) throw new Error('in vain');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe.runIf(process.platform === 'linux')('a run that is ended in the middle', () => {
  it.each([
    ['SIGINT', true],
    ['SIGTERM', true],
    ['SIGKILL', false],
  ] as const)('by %s leaves no process behind, and no file that it could remove', async (signal, cleans) => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-test-'));
    try {
      const temporary = join(folder, 'tmp');
      await mkdir(temporary);
      // So deep a graph that it runs for minutes.
      const nodes = Array.from({ length: 4000 }, (_, at) => ({
        operator: 'MatMul',
        inputs: [at === 0 ? 'X' : `Y${at}`, 'W'],
        outputs: [at === 3999 ? 'Y' : `Y${at + 1}`],
      }));
      const slow = writeModel({
        graph: {
          nodes,
          inputs: [{ name: 'X', type: 'float32', shape: ['n', 1] }],
          outputs: [{ name: 'Y', type: 'float32', shape: ['n', 1] }],
          initializers: [floatTensor('W', [1, 1], [1])],
        },
      });
      await writeFile(join(folder, 'm.onnx'), slow);
      await writeFile(join(folder, 'b.onnx'), linearModel([[2]], [0]));
      await writeFile(join(folder, 'e.csv'), csv(['x', 'y'], Array(200_000).fill([1, 2])));
      await writeFile(join(folder, 'sluice.yaml'), policy);
      const program = join(import.meta.dirname, '..', '..', 'cli', 'index.ts');
      const child = spawn(process.execPath, [program, 'gate', '--policy', join(folder, 'sluice.yaml')], {
        cwd: folder,
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { ...process.env, TMPDIR: temporary },
      });
      let said = '';
      child.stderr.on('data', (chunk) => {
        said += chunk;
      });
      const ended = new Promise((resolve) => child.once('exit', resolve));
      await until(() => said.includes('Run the models') || child.exitCode !== null);
      const started = descendantsOf(child.pid ?? 0);
      expect(started.length, said).toBeGreaterThanOrEqual(2);
      expect(readdirSync(temporary)).not.toEqual([]);
      child.kill(signal);
      await ended;
      await until(() => started.every((pid) => !existsSync(`/proc/${pid}`)));
      if (cleans) expect(readdirSync(temporary)).toEqual([]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
