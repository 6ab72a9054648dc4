import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { oneLineYaml } from './yaml-text.ts';

it('writes flow YAML as people do', () => {
  expect(oneLineYaml({ min: 0.9, columns: ['age', 'no: 1', 'true', '1'], of: 'data/a.csv', none: {} })).toBe(
    '{ min: 0.9, columns: [age, "no: 1", "true", "1"], of: data/a.csv, none: {} }',
  );
});

it('reads back as the same value, on one line', () => {
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.constantFrom('null', '~', '- a', 'a #b', '.inf', '0x1', 'a: b', '1e3', 'a-', 'NO'),
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      text,
      fc.double({ noNaN: true }).map((number) => number + 0),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(
        text.filter((key) => key !== '__proto__'),
        tie('value'),
        { maxKeys: 3, noNullPrototype: true },
      ),
    ),
  }));
  fc.assert(
    fc.property(value, (original) => {
      const written = oneLineYaml(original);
      expect(written).not.toContain('\n');
      expect(parse(written, { stringKeys: true })).toEqual(original);
    }),
  );
});
