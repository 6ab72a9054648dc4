import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pythonEnvironment } from '../testbed/serving/python.ts';
import { gates, policyText, requirements } from './gate.ts';
import type { Measurement } from './measurement.ts';
import { peakOfTree } from './process-tree-memory.ts';

const run = promisify(execFile);

const sizes = [1_000_000, 3_000_000, 10_000_000];
const mostMb = 2000;

/**
 * The most memory of the gate and the processes it starts, together, by rows of 30 numbers in a Parquet file: a candidate against its baseline, ten
 * metrics with intervals of values and changes, four slices, figures. `--rows N` measures N rows alone.
 */
export async function gateMemory(): Promise<Measurement> {
  const at = process.argv.indexOf('--rows');
  const wanted = at === -1 ? sizes : [Number(process.argv[at + 1])];
  const { python } = await pythonEnvironment('bench-gate', requirements);
  const peer = join(import.meta.dirname, 'gate', 'peer.py');
  const ours = join(import.meta.dirname, 'gate', 'ours.ts');
  const found: { readonly rows: number; readonly peakMb: number; readonly seconds: number }[] = [];
  for (const rows of wanted) {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-gate-'));
    try {
      await run(python, [peer, 'make', folder, String(rows)]);
      const compared = gates.map((line) => line.replace(' }', ', max_regression: 0.01 }'));
      const text = policyText('{ path: baseline.onnx }', compared).replace(
        'positive: 1',
        'positive: 1, slices: [{ x0: [-1, 0, 1] }]',
      );
      await writeFile(join(folder, 'policy.yaml'), text);
      const running = run(process.execPath, [ours, folder, 'policy.yaml'], { maxBuffer: 1e8 });
      const peak = await peakOfTree(running.child.pid ?? 0, running);
      const { seconds } = JSON.parse((await running).stdout) as { readonly seconds: number };
      found.push({ rows, peakMb: Math.round(peak / 1e6), seconds: Number(seconds.toFixed(1)) });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  const most = Math.max(...found.map(({ peakMb }) => peakMb));
  return {
    json: {
      peakMbByRows: Object.fromEntries(found.map(({ rows, peakMb }) => [String(rows), peakMb])),
      secondsByRows: Object.fromEntries(found.map(({ rows, seconds }) => [String(rows), seconds])),
    },
    tables: [
      {
        title: 'Two models, ten metrics with intervals, four slices: peak of all processes together',
        rows: found.map(({ rows, peakMb, seconds }) => ({
          rows: rows.toLocaleString('en-US'),
          'peak MB': peakMb,
          seconds,
        })),
      },
    ],
    bounds: [{ text: `${most} MB <= ${mostMb} MB of all processes together`, holds: most <= mostMb }],
  };
}
