import { describe, expect, test } from 'vitest';
import { gallery } from './fixtures/gallery/index.ts';
import { asText, golden, goldenFiles } from './fixtures/golden.ts';
import { templateOf } from './fixtures/synthesized.ts';

describe('what the constructs make', () => {
  test.each(Object.entries(gallery))('%s is as committed', (name, build) => {
    const text = asText(templateOf(build).toJSON());
    expect(text).toBe(golden(`${name}.json`, text));
  });

  test.each(Object.entries(gallery))('%s is the same each time, with nothing left to resolve', (_name, build) => {
    const text = asText(templateOf(build).toJSON());
    expect(asText(templateOf(build).toJSON())).toBe(text);
    expect(text).not.toMatch(/dummy-value|\$\{Token|<unresolved/);
  });

  test('every committed template is of a construct in the gallery', () => {
    const templates = goldenFiles().filter((file) => file.endsWith('.json'));
    expect(templates).toEqual(
      Object.keys(gallery)
        .map((name) => `${name}.json`)
        .toSorted(),
    );
  });
});
