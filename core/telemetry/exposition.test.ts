import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Exposition, type ExpositionFormat, formatOf, mostErrors, parseExposition } from './index.ts';

interface ReferenceSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number | string;
  /** Seconds. */
  readonly timestamp?: number;
  readonly exemplar?: {
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number;
    readonly timestamp?: number;
  };
}

interface Reference {
  readonly cases: readonly {
    readonly format: ExpositionFormat;
    readonly text: string;
    readonly families: readonly {
      readonly name: string;
      readonly type: string;
      readonly help: string;
      readonly samples: readonly ReferenceSample[];
    }[];
  }[];
  readonly wrong: readonly { readonly format: ExpositionFormat; readonly text: string }[];
}

const reference = JSON.parse(
  readFileSync(join(import.meta.dirname, 'reference', 'reference.json'), 'utf8'),
) as Reference;

/** What we read, as prometheus_client tells it: counters without `_total` in the name and with it in the samples, times in seconds. */
function asPython({ families }: Exposition): unknown {
  return families
    .filter(({ samples, type, help }) => samples.length > 0 || type !== 'untyped' || help !== undefined)
    .map(({ name, type, help = '', samples }) => {
      const counter = type === 'counter';
      return {
        name: counter ? name.replace(/_total$/, '') : name,
        type: type === 'untyped' ? 'unknown' : type,
        // Blanks at its ends: prometheus_client is not of one mind about them.
        help: help.trim(),
        samples: samples.map((sample) => ({
          name: counter && !/_(?:total|created)$/.test(sample.name) ? `${sample.name}_total` : sample.name,
          labels: sample.labels,
          value: numberText(sample.value),
          timestamp: sample.timestamp === undefined ? undefined : sample.timestamp / 1000,
          exemplar:
            sample.exemplar === undefined
              ? undefined
              : {
                  labels: sample.exemplar.labels,
                  value: numberText(sample.exemplar.value),
                  timestamp: sample.exemplar.timestamp === undefined ? undefined : sample.exemplar.timestamp / 1000,
                },
        })),
      };
    });
}

/** prometheus_client makes a family of every sample nobody announced, even of the same name. */
function together(families: Reference['cases'][number]['families']): Reference['cases'][number]['families'] {
  const names = [...new Set(families.map(({ name }) => name))];
  return names.flatMap((name) => {
    const same = families.filter((family) => family.name === name);
    const [first] = same;
    return first === undefined
      ? []
      : [{ ...first, help: first.help.trim(), samples: same.flatMap(({ samples }) => samples) }];
  });
}

function numberText(value: number): number | string {
  if (Number.isNaN(value)) return 'NaN';
  return Number.isFinite(value) ? value : value > 0 ? '+Inf' : '-Inf';
}

/** Timestamps went through a multiplication and a division. */
function roundedTimes(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, each: unknown) =>
      key === 'timestamp' && typeof each === 'number' ? Number(each.toFixed(6)) : each,
    ),
  );
}

describe('reading what /metrics shows', () => {
  test.each(reference.cases.map((each, index) => ({ index, ...each })))(
    'reads case $index ($format) as prometheus_client does',
    ({ format, text, families }) => {
      const read = parseExposition(text, { format });
      expect(read.errors).toEqual([]);
      expect(roundedTimes(asPython(read))).toEqual(roundedTimes(together(families)));
    },
  );

  test.each(reference.wrong)('finds what is wrong, as prometheus_client does: $text', ({ format, text }) => {
    expect(parseExposition(text, { format }).errors).not.toEqual([]);
  });

  test('says in which line an error is, and reads the other lines', () => {
    const { samples, errors } = parseExposition('good 1\nbad{ 2\nalso_good{x="1"} 3\n1bad 4\n');
    expect(samples.map(({ name, line }) => [name, line])).toEqual([
      ['good', 1],
      ['also_good', 3],
    ]);
    expect(errors.map(({ line, code }) => [line, code])).toEqual([
      [2, 'invalid-labels'],
      [4, 'invalid-name'],
    ]);
  });

  test('an OpenMetrics text that was cut off is not taken for whole', () => {
    const { errors } = parseExposition('# TYPE a counter\na_total 1\n', { format: 'openmetrics' });
    expect(errors.map(({ code }) => code)).toEqual(['no-end']);
  });

  test('a text is OpenMetrics when it ends like one, or when its Content-Type says so', () => {
    expect(parseExposition('a 1\n# EOF\n').format).toBe('openmetrics');
    expect(parseExposition('# EOF\na 1\n').format).toBe('prometheus');
    expect(formatOf('application/openmetrics-text; version=1.0.0; charset=utf-8')).toBe('openmetrics');
    expect(formatOf('text/plain; version=0.0.4')).toBe('prometheus');
    expect(formatOf('application/json')).toBeUndefined();
  });

  test('timestamps are milliseconds in both formats', () => {
    expect(parseExposition('a 1 1500\n').samples[0]?.timestamp).toBe(1500);
    expect(parseExposition('a 1 1.5\n# EOF\n').samples[0]?.timestamp).toBe(1500);
  });

  test('a label called __proto__ is a label like others', () => {
    const [sample] = parseExposition('a{__proto__="x"} 1\n').samples;
    expect(Object.entries(sample?.labels ?? {})).toEqual([['__proto__', 'x']]);
    expect(Object.getPrototypeOf(sample?.labels)).toBe(Object.prototype);
  });

  test('no more is read than the limits allow', () => {
    const many = Array.from({ length: 50 }, (_, index) => `a{i="${index}"} 1`).join('\n');
    const few = parseExposition(many, { limits: { samples: 10 } });
    expect(few.samples).toHaveLength(10);
    expect(few.errors.map(({ code, line }) => [code, line])).toEqual([['too-many-samples', 11]]);
    expect(parseExposition(many, { limits: { length: 20 } })).toMatchObject({
      samples: [],
      errors: [{ code: 'too-large' }],
    });
    const wide = `a{${Array.from({ length: 20 }, (_, index) => `l${index}="x"`).join(',')}} 1`;
    expect(parseExposition(wide, { limits: { labels: 19 } }).errors).toMatchObject([{ code: 'too-many-labels' }]);
    expect(parseExposition('?\n'.repeat(1000)).errors).toHaveLength(mostErrors);
  });

  test('the longest line is read to its end, not again and again', () => {
    const digits = '1'.repeat(2_000_000);
    for (const text of [
      `a ${digits}x`,
      `a 1 ${digits}x`,
      `a{b="${'\\n'.repeat(1_000_000)}`,
      `a${' '.repeat(2_000_000)}x`,
      `# HELP ${digits}`,
    ])
      expect(parseExposition(text).samples).toEqual([]);
  });

  test('what an error quotes is short and does nothing to a terminal', () => {
    const { errors } = parseExposition(`\u001b[31m\u202e${'x'.repeat(500)}\n`);
    expect(errors[0]?.message.length).toBeLessThan(160);
    expect(errors[0]?.message).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
  });

  test('never throws, whatever the text', () => {
    const pieces = fc.constantFrom(
      'a',
      '_b',
      '{',
      '}',
      '"',
      '\\',
      '=',
      ',',
      ' ',
      '\n',
      '#',
      '# TYPE ',
      '# HELP ',
      '# EOF',
      '1',
      'NaN',
      '+Inf',
      '\r',
      '\0',
      'é',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), fc.constantFrom('prometheus', 'openmetrics'), (text, format) => {
        const { samples, families, errors } = parseExposition(text.join(''), { format: format as ExpositionFormat });
        expect(families.flatMap((family) => family.samples)).toHaveLength(samples.length);
        for (const { line } of errors) expect(line).toBeGreaterThan(0);
      }),
    );
  });

  test('reads back any name, label and number that was written', () => {
    const label = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,8}$/);
    const sample = fc.record({
      name: fc.stringMatching(/^[a-zA-Z_:][a-zA-Z0-9_:]{0,12}$/),
      labels: fc.dictionary(label, fc.string({ unit: 'grapheme' }), { maxKeys: 4 }),
      value: fc.double(),
      timestamp: fc.option(fc.integer(), { nil: undefined }),
    });
    const escaped = (text: string): string =>
      text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
    const written = (value: number): string => String(numberText(value));
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 6 }), (samples) => {
        const lines = samples.map(({ name, labels, value, timestamp }) => {
          const inner = Object.entries(labels).map(([key, text]) => `${key}="${escaped(text)}"`);
          return `${name}{${inner.join(',')}} ${written(value)}${timestamp === undefined ? '' : ` ${timestamp}`}\n`;
        });
        const read = parseExposition(lines.join(''), { format: 'prometheus' });
        expect(read.errors).toEqual([]);
        expect(
          read.samples.map(({ name, labels, value, timestamp }) => [name, { ...labels }, value, timestamp]),
        ).toEqual(
          samples.map(({ name, labels, value, timestamp }) => [
            name,
            { ...labels },
            value === 0 ? expect.closeTo(0) : value,
            timestamp,
          ]),
        );
      }),
    );
  });
});
