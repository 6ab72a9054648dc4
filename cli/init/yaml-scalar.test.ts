import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { yamlScalar } from './yaml-scalar.ts';

const hostile = [
  'yes',
  'null',
  '~',
  '',
  ' ',
  '- a',
  'a: b',
  'a #b',
  '1e5',
  '0x1F',
  '2024-01-01',
  '*a',
  '&a',
  '!!js',
  '{a',
  'a\nb',
  '"',
  "'",
  '\u2028',
];

test('plain words stay plain and everything else is quoted', () => {
  expect(yamlScalar('mean radius')).toBe('mean radius');
  expect(yamlScalar('data/train.csv')).toBe('data/train.csv');
  expect(yamlScalar('yes')).toBe('"yes"');
  expect(yamlScalar('a: b')).toBe('"a: b"');
});

test('any text reads back as itself in a block, in a flow list, and as a key', () => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.constantFrom(...hostile));
  fc.assert(
    fc.property(text, (value) => {
      const scalar = yamlScalar(value);
      expect(scalar).not.toMatch(/\n/);
      expect(parse(`a: ${scalar}`)).toEqual({ a: value });
      expect(parse(`a: [${scalar}, ${scalar}]`)).toEqual({ a: [value, value] });
      expect(Object.keys(parse(`{ ${scalar}: 1 }`) as object)).toEqual([value]);
    }),
  );
});

test('numbers and booleans read back as themselves', () => {
  fc.assert(
    fc.property(fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer(), fc.boolean()), (value) => {
      expect(parse(`a: ${yamlScalar(value)}`)).toEqual({ a: value === 0 ? 0 : value });
    }),
  );
});
