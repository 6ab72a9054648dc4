import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { gallery } from './fixtures/gallery.ts';
import { asYaml, golden, manifestsOf } from './fixtures/test-chart.ts';

describe('what the constructs render', () => {
  test.each(Object.entries(gallery))('%s is as committed', (name, build) => {
    const rendered = asYaml(manifestsOf(build));
    expect(rendered).toBe(golden(name, rendered));
  });

  test('every committed manifest is of a construct in the gallery', () => {
    const files = readdirSync(join(import.meta.dirname, 'golden'));
    expect(files.toSorted()).toEqual(
      Object.keys(gallery)
        .map((name) => `${name}.yaml`)
        .toSorted(),
    );
  });
});
