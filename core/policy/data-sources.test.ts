import { describe, expect, it } from 'vitest';
import { PolicyError } from '../problem/index.ts';
import { parsePolicy } from './parse-policy.ts';
import { stricterOf } from './stricter-policy.ts';

const source = (rest: string) => `  - { ${rest}, checks: [{ row_count: { min: 1 } }] }\n`;
const policy = (...sources: readonly string[]) => parsePolicy(`version: 1\ndata:\n${sources.join('')}`, 'sluice.yaml');
const effective = (base: readonly string[], head: readonly string[]) => {
  const { policy: both, differences } = stricterOf(policy(...base), policy(...head));
  return { data: both.data, told: differences.map(({ key, effective: side }) => [key, side]) };
};

describe('an object of S3', () => {
  const file = source('source: rows.csv');
  const object = source('source: "s3://bucket/rows.csv"');

  it('that only a pull request names waits for the merge, and that is told', () => {
    const { data, told } = effective([file], [file, object]);
    expect(data?.map((each) => each.source)).toEqual(['rows.csv']);
    expect(told).toEqual([[expect.stringContaining('s3://bucket/rows.csv'), 'base']]);
  });

  it('that the base names is read, also where the pull request leaves it out', () => {
    expect(effective([file, object], [file]).data?.map((each) => each.source)).toEqual([
      'rows.csv',
      's3://bucket/rows.csv',
    ]);
  });
});

describe('the profile of a source', () => {
  const profiled = (value: string) => [source(`source: rows.csv${value === '' ? '' : `, profile: ${value}`}`)];

  it.each([
    ['', 'true', true],
    ['true', '', true],
    ['false', 'true', false],
    ['true', 'false', true],
    ['', '', undefined],
  ])('is for the base to say: base %j, head %j: %s', (base, head, shown) => {
    expect(effective(profiled(base), profiled(head)).data?.[0]?.profile).toBe(shown);
  });

  it('is none of a table', () => {
    const text = `version: 1
engines: { trino: { url: https://trino.example.com } }
data:
  - { source: { table: a.b.c, engine: trino }, profile: true, checks: [{ row_count: { min: 1 } }] }
`;
    expect(() => parsePolicy(text, 'sluice.yaml')).toThrow(PolicyError);
    expect(() => parsePolicy(text, 'sluice.yaml')).toThrow(/not profiled/);
  });
});
