import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openEngine } from '../../core/data/index.ts';
import { silentHost } from '../../core/host/index.ts';
import { driftMeasures, headOnly, parsePolicy } from '../../core/policy/index.ts';
import { randomOf } from '../../core/statistics/index.ts';
import { detectDrift } from '../detect-drift/run.ts';
import { validateData } from '../validate-data/run.ts';

it.each(driftMeasures)('the data check skew and the drift check find the same %s in the same pair', async (measure) => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-skew-drift-'));
  try {
    await using engine = await openEngine();
    const random = randomOf('skew and drift');
    const write = (name: string, count: number, factor: number) => {
      const rows = Array.from({ length: count }, () => `${random.unit() * factor},${random.unit() < 0.4 * factor}`);
      return writeFile(join(directory, name), `amount,member\n${rows.join('\n')}\n`);
    };
    await write('train.csv', 700, 1);
    await write('served.csv', 500, 1.2);
    const policy = headOnly(
      parsePolicy(
        JSON.stringify({
          version: 1,
          data: [{ source: 'served.csv', checks: [{ skew: { reference: 'train.csv', measure, max: 0.1 } }] }],
          drift: { reference: 'train.csv', current: 'served.csv', [measure]: { fail: 0.1 } },
        }),
        'sluice.yaml',
      ),
    );
    const [skew, drift] = [
      await validateData({ policy, directory, engine, host: silentHost }),
      await detectDrift({ policy, directory, engine, host: silentHost }),
    ].map(({ checks }) => checks.map(({ status, observed, evidence }) => ({ status, observed, evidence })));
    expect(skew).toEqual(drift);
    expect(skew?.length).toBe(measure === 'ks' || measure === 'wasserstein' ? 1 : 2);
  } finally {
    await rm(directory, { recursive: true });
  }
});
