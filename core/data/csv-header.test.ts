import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitRecord } from './csv-header.ts';

describe('splitRecord', () => {
  it('gives back the values a record was written from', () => {
    const value = fc.string({ unit: fc.constantFrom('a', '"', ',', ' ', 'é', ';'), maxLength: 6 });
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 5 }), (values) => {
        const record = values.map((text) => `"${text.replaceAll('"', '""')}"`).join(',');
        expect(splitRecord(record, ',')).toEqual(values);
      }),
    );
  });

  it('keeps quotes inside bare values', () => {
    expect(splitRecord('5" pipe;b', ';')).toEqual(['5" pipe', 'b']);
    expect(splitRecord(',a,', ',')).toEqual(['', 'a', '']);
  });
});
