import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, openEngine } from '../../core/data/index.ts';
import { profileColumns } from './profile-columns.ts';

let directory = '';
let engine: Engine;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-profile-'));
  engine = await openEngine();
});
afterAll(async () => {
  await engine.close();
  await rm(directory, { recursive: true });
});

async function profile(select: string, sensitive: readonly string[] = []) {
  const path = join(directory, 'rows.parquet');
  await engine.query(`COPY (${select}) TO '${path}' (FORMAT parquet)`);
  return profileColumns(engine, await engine.open(path), ({ name }) => sensitive.includes(name));
}

describe('a profile of columns', () => {
  it('leaves out what numbers near the largest ones have none of', async () => {
    const [column] = await profile('SELECT unnest([1.7e308::DOUBLE, -1.7e308, 1, 2]) AS n');
    expect(column).toEqual({
      name: 'n',
      type: 'number',
      missing: 0,
      different: expect.any(Number),
      min: '-1.7e+308',
      max: '1.7e+308',
      mean: 0.75,
    });
  });

  it('has the range, the mean and a histogram of numbers, without what is no number', async () => {
    const [column] = await profile("SELECT unnest([0::DOUBLE, 1, 1, 9, 10, 'nan'::DOUBLE, 'inf'::DOUBLE, NULL]) AS n");
    expect(column).toEqual({
      name: 'n',
      type: 'number',
      missing: 2,
      different: expect.any(Number),
      min: '0',
      max: '10',
      mean: 4.2,
      std: 4.86826,
      bars: [1, 2, 0, 0, 0, 0, 0, 0, 0, 2],
    });
  });

  it('has the most frequent of few values, and of dates the range', async () => {
    const columns = await profile(
      "SELECT unnest(['b', 'a', 'a', '<b>', NULL]) AS s, DATE '2024-01-01' + unnest([0, 1, 2, 3, 4]) AS d, unnest([true, true, false, NULL, true]) AS f",
    );
    expect(columns).toMatchObject([
      {
        name: 's',
        missing: 1,
        different: 3,
        top: [
          { value: 'a', rows: 2 },
          { value: '<b>', rows: 1 },
          { value: 'b', rows: 1 },
        ],
      },
      { name: 'd', type: 'date', min: '2024-01-01', max: '2024-01-05' },
      {
        name: 'f',
        top: [
          { value: 'true', rows: 3 },
          { value: 'false', rows: 1 },
        ],
      },
    ]);
  });

  it('counts few values, where the estimate that goes for many says four of these five', async () => {
    const countries = "['KR', 'US', 'JP', 'DE', 'Österreich']";
    expect(await profile(`SELECT unnest(${countries}) AS country`)).toMatchObject([{ different: 5 }]);
    const [cut] = await profile("SELECT repeat('a', 59 + i) AS s FROM range(3) r(i)");
    expect(cut?.different).toBe(3);
  });

  it('shows no value of a sensitive column', async () => {
    const columns = await profile("SELECT i AS n, 'secret' AS s FROM range(9) r(i)", ['n', 's']);
    expect(columns).toEqual([
      { name: 'n', type: 'integer', missing: 0, different: 9 },
      { name: 's', type: 'string', missing: 0, different: 1 },
    ]);
  });

  it('of no rows is empty, and of a constant or of lists has no histogram', async () => {
    expect(await profile('SELECT 1 AS a WHERE false')).toEqual([]);
    const [constant, list] = await profile('SELECT 5 AS a, [1] AS l FROM range(3)');
    expect(constant).toMatchObject({ min: '5', max: '5', mean: 5, std: 0 });
    expect(constant?.bars).toBeUndefined();
    expect(list).toMatchObject({ type: 'other', missing: 0 });
  });

  it('tells of hundreds of columns, in file order', async () => {
    const names = Array.from({ length: 90 }, (_, index) => `c${index}`);
    await writeFile(join(directory, 'wide.csv'), `${names.join()}\n${names.map((_, index) => index).join()}\n`);
    const wide = await profileColumns(engine, await engine.open(join(directory, 'wide.csv')), () => false);
    expect(wide.map(({ name, min }) => [name, min])).toEqual(names.map((name, index) => [name, String(index)]));
  });
});
