import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { gallery } from './fixtures/gallery.ts';
import { golden } from './fixtures/test-chart.ts';
import * as constructs from './index.ts';

const readme = readFileSync(join(import.meta.dirname, 'README.md'), 'utf8');
const manifests = Object.keys(gallery).map((name) => golden(name));

test.each([...readme.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => [text]))(
  'the README shows what is rendered: %s',
  (text) => {
    expect(manifests.some((manifest) => manifest.includes(text))).toBe(true);
  },
);

test('every construct of the README is there', () => {
  const named = [...readme.matchAll(/new ([A-Z]\w+)\(/g)].map(([, name = '']) => name);
  const table = [...readme.matchAll(/^\| ((?:`\w+`(?:, )?)+) \|/gm)].flatMap(([, cell = '']) => [
    ...cell.matchAll(/`(\w+)`/g),
  ]);
  const names = new Set(
    [...named, ...table.map(([, name = '']) => name)].filter((name) => !['App', 'Chart'].includes(name)),
  );
  expect(names.size).toBeGreaterThan(12);
  expect([...names].filter((name) => !(name in constructs))).toEqual([]);
});
