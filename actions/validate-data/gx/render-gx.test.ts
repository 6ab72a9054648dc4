import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentHost } from '../../../core/host/index.ts';
import type { DataCheck } from '../../../core/policy/index.ts';
import { type Check, type Report, type Status, statuses } from '../../../core/report/index.ts';
import { run } from '../run.ts';
import { renderGx } from './render-gx.ts';

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-test-'));
  await writeFile(
    join(directory, 'people.csv'),
    'id,name,age,country\n1,ann,31,KR\n2,bob,,US\n3,cy,200,XX\n4,dee,-1,KR\n4,ann,40,\n',
  );
  await writeFile(join(directory, 'days.csv'), 'day,n\n2026-01-01,1\n2026-01-02,2\n');
});
afterAll(() => rm(directory, { recursive: true }));

interface Result {
  readonly success: boolean;
  readonly suite_name: string;
  readonly statistics: Readonly<Record<string, number | null>>;
  readonly results: readonly {
    readonly success: boolean;
    readonly expectation_config: {
      readonly type: string;
      readonly kwargs: Readonly<Record<string, unknown>>;
      readonly severity: string;
    };
    readonly result: Readonly<Record<string, unknown>>;
    readonly meta: { readonly sluice: { readonly id: string; readonly status: Status } };
    readonly exception_info: { readonly raised_exception: boolean; readonly exception_message: string | null };
  }[];
}

/** The gate of a policy in YAML's JSON, and what it wrote. */
async function exported(policy: object): Promise<{ report: Report; results: readonly Result[]; text: string }> {
  await writeFile(join(directory, 'sluice.yaml'), JSON.stringify({ version: 1, ...policy }, null, 1));
  const report = await run(
    { policyFile: 'sluice.yaml', directory, comment: 'never', checkRun: false, gxFile: 'out/report.gx.json' },
    silentHost,
  );
  const text = await readFile(join(directory, 'out/report.gx.json'), 'utf8');
  return { report, results: JSON.parse(text), text };
}

const one = async (check: DataCheck, more: object = {}, source = 'people.csv') => {
  const { results } = await exported({ data: [{ source, checks: [check], ...more }] });
  const [result, ...others] = results[0]?.results ?? [];
  if (result === undefined || others.length > 0) throw new Error(`${others.length + 1} results`);
  return result;
};

const mixed = {
  name: 'people',
  waivers: [{ check: 'data/people.csv/unique[id]', reason: 'known', expires: '2999-01-01' }],
  data: [
    {
      source: 'people.csv',
      sensitive: ['name'],
      checks: [
        { row_count: { min: 5, max: 5 } },
        { schema: { required: ['id', 'name', 'age', 'country'], extra: 'forbid' } },
        { not_null: { columns: ['age', 'country'], mostly: 0.8 } },
        { between: { column: 'age', min: 0, max: 150 } },
        { accepted_values: { column: 'country', values: ['KR', 'US'], severity: 'warn', reason: 'new markets' } },
        { accepted_values: { column: 'name', values: ['ann', 'bob', 'cy'] } },
        { unique: { columns: ['id'] } },
        { unique: { columns: ['id', 'name'] } },
        { quantile: { column: 'age', share: 0.5, max: 100 } },
        { mean: { column: 'age', max: 30, where: { country: ['KR'] } } },
        { label_conflicts: { label: 'country', features: ['id'], max_share: 0 } },
        { sql: { name: 'old', select: 'SELECT * FROM data WHERE age > 150' } },
        { between: { column: 'agee', min: 0 } },
      ],
    },
    {
      source: 'days.csv',
      checks: [
        { max: { column: 'day', max: '2026-12-31' } },
        { sum: { column: 'n', max: 2 } },
        { sql: { name: 'odd', select: 'SELECT * FROM data WHERE n % 2 = 1' } },
      ],
    },
  ],
};

describe('results as JSON of Great Expectations', () => {
  it('look like this', async () => {
    const { text } = await exported(mixed);
    const { version } = JSON.parse(await readFile(new URL('../../../package.json', import.meta.url), 'utf8'));
    await expect(text.replaceAll(`"version": "${version}"`, '"version": "0.0.0"')).toMatchFileSnapshot(
      'golden/mixed.gx.json',
    );
  });

  it('are one for each source, with counts that follow from their results, in the order of the policy', async () => {
    const { report, results } = await exported(mixed);
    expect(results.map(({ suite_name }) => suite_name)).toEqual(['people.csv', 'days.csv']);
    const flat = results.flatMap((each) => each.results);
    expect(flat).toHaveLength(report.checks.length);
    for (const { success, statistics, results: each } of results) {
      const successful = each.filter((result) => result.success).length;
      expect(success).toBe(successful === each.length);
      expect(statistics).toMatchObject({
        evaluated_expectations: each.length,
        successful_expectations: successful,
        unsuccessful_expectations: each.length - successful,
      });
    }
  });

  it('show nothing of a sensitive column, neither its values nor those it may have', async () => {
    const { text } = await exported(mixed);
    for (const name of ['ann', 'bob', 'dee', '"cy"']) expect(text).not.toContain(name);
    expect(text).toContain('•••');
  });

  it('hide the query of a file with a sensitive column', async () => {
    const hidden = await one(
      { sql: { name: 'x', select: "SELECT * FROM data WHERE name = 'ann'" } },
      { sensitive: ['name'] },
    );
    expect(hidden.expectation_config).toMatchObject({
      type: 'unexpected_rows_expectation',
      meta: { sluice: { check: 'sql', options: { select: '•••' } } },
    });
  });

  it('name the column of a skew check, and what was measured', async () => {
    const rows = (from: number) => `n\n${Array.from({ length: 200 }, (_, index) => index + from).join('\n')}\n`;
    await writeFile(join(directory, 'then.csv'), rows(0));
    await writeFile(join(directory, 'now.csv'), rows(150));
    const found = await one({ skew: { reference: 'then.csv', max: 0.5, measure: 'ks' } }, {}, 'now.csv');
    expect(found).toMatchObject({ success: false, result: { observed_value: 0.75 } });
    expect(found.expectation_config).toMatchObject({
      meta: { sluice: { check: 'skew', options: { reference: 'then.csv', max: 0.5, column: 'n' } } },
    });
  });

  it('count missing values and those that break the check as Great Expectations does', async () => {
    expect((await one({ between: { column: 'age', min: 0, max: 150 } })).result).toMatchObject({
      element_count: 5,
      missing_count: 1,
      unexpected_count: 2,
      unexpected_percent: 50,
      unexpected_percent_total: 40,
      partial_unexpected_list: ['200', '-1'],
    });
  });

  it('name the file of a failing row where the source has several', async () => {
    await mkdir(join(directory, 'parts'), { recursive: true });
    await writeFile(join(directory, 'parts/1.csv'), 'a\n1\n2\n');
    await writeFile(join(directory, 'parts/2.csv'), 'a\n3\n9\n');
    const { result } = await one({ between: { column: 'a', max: 5 } }, {}, 'parts/*.csv');
    expect(result['details']).toMatchObject({ rows: [{ file: expect.stringContaining('2.csv'), row: 2 }] });
  });

  it('count what breaks a check that still holds by its mostly', async () => {
    const { success, result } = await one({ between: { column: 'age', min: 0, max: 150, mostly: 0.5 } });
    expect(success).toBe(true);
    expect(result).toMatchObject({ unexpected_count: 2, partial_unexpected_list: [] });
  });

  it('raise an exception for what could not be judged', async () => {
    const { success, result, exception_info } = await one({ between: { column: 'agee', min: 0 } });
    expect(success).toBe(false);
    expect(result).toEqual({});
    expect(exception_info).toMatchObject({ raised_exception: true });
    expect(exception_info.exception_message).toContain('agee');
  });

  it('are not written, and leave nothing, where the file is a folder', async () => {
    await writeFile(join(directory, 'sluice.yaml'), JSON.stringify({ version: 1, data: mixed.data }));
    const inputs = { policyFile: 'sluice.yaml', directory, comment: 'never', checkRun: false, gxFile: '.' } as const;
    await expect(run(inputs, silentHost)).rejects.toMatchObject({ problems: [{ code: 'gx-json-not-written' }] });
    expect((await readdir(join(directory, '..'))).filter((name) => name.endsWith('.unfinished'))).toEqual([]);
  });

  it('succeed exactly where a check passed, and raise exactly where it is an error, whatever the report says', async () => {
    const { report } = await exported(mixed);
    const check: DataCheck = { between: { column: 'age', min: 0 } };
    const arbitrary = fc.array(
      fc.record({
        status: fc.constantFrom(...statuses),
        observed: fc.option(fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.string()), { nil: undefined }),
        n: fc.option(fc.nat(), { nil: undefined }),
      }),
    );
    fc.assert(
      fc.property(arbitrary, (made) => {
        const checks = made.map(
          ({ status, observed, n }, at): Check => ({
            id: `data/${at}`,
            title: 'age ≥ 0',
            section: 'data',
            status,
            message: 'so it is',
            ...(observed === undefined ? {} : { observed }),
            ...(n === undefined ? {} : { evidence: { estimate: 0, lower: 0, upper: 0, level: 1, method: 'exact', n } }),
          }),
        );
        const asked = checks.map(({ id }) => ({ id, kind: 'between' as const, check }));
        const source = { source: 'people.csv', checks: [check] };
        const text = renderGx({ ...report, checks }, [{ source, rows: 2 ** 31, checks: asked }]);
        const [result]: readonly Result[] = JSON.parse(text);
        expect(result?.results.map(({ success }) => success)).toEqual(made.map(({ status }) => status === 'pass'));
        expect(result?.results.map(({ exception_info }) => exception_info.raised_exception)).toEqual(
          made.map(({ status }) => status === 'error'),
        );
        expect(result?.success).toBe(made.every(({ status }) => status === 'pass'));
      }),
    );
  });
});
