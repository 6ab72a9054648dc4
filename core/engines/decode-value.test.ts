import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeAthena, decodeTrino, parseExactly } from './decode-value.ts';

describe("values of an engine's answer", () => {
  it('come as what their type says', () => {
    expect(decodeTrino('NaN', 'double')).toBeNaN();
    expect(decodeTrino('-Infinity', 'real')).toBe(Number.NEGATIVE_INFINITY);
    expect(decodeTrino('12345678901234567890.12', 'decimal(38, 2)')).toBe('12345678901234567890.12');
    expect(decodeTrino('AP8=', 'varbinary')).toEqual(Buffer.from([0, 255]));
    expect(decodeTrino([1, '9007199254740993', null], 'array(bigint)')).toEqual([1, 9007199254740993n, null]);
    expect(decodeTrino('2026-08-01 00:00:00.000', 'timestamp(3)')).toBe('2026-08-01 00:00:00.000');
    expect(decodeTrino(null, 'double')).toBeNull();
  });

  it('come from the text of Athena as from the JSON of Trino', () => {
    expect(decodeAthena('9007199254740993', 'bigint')).toBe(9007199254740993n);
    expect(decodeAthena('7', 'integer')).toBe(7);
    expect(decodeAthena('-Infinity', 'double')).toBe(Number.NEGATIVE_INFINITY);
    expect(decodeAthena('false', 'boolean')).toBe(false);
    expect(decodeAthena('00 ff', 'varbinary')).toEqual(Buffer.from([0, 255]));
    expect(decodeAthena('[1, -2, 9007199254740993]', 'array')).toEqual([1, -2, 9007199254740993n]);
    expect(decodeAthena('[]', 'array')).toEqual([]);
    expect(decodeAthena('', 'varchar')).toBe('');
    expect(decodeAthena(undefined, 'varchar')).toBeNull();
  });

  it('keep every digit of an integer, and every text', () => {
    fc.assert(
      fc.property(
        fc.bigInt(),
        fc.string(),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        (whole, text, number) => {
          const [one, other, third] = parseExactly(
            `[${whole},${JSON.stringify(text)},${JSON.stringify(number)}]`,
          ) as unknown[];
          expect(BigInt(one as string | number)).toBe(whole);
          expect(other).toBe(text);
          expect(Number(third)).toBe(Object.is(number, -0) ? 0 : number);
        },
      ),
    );
    expect(parseExactly('["12345678901234567890",0.12345678901234567890,1e-12345678901234567890]')).toEqual([
      '12345678901234567890',
      0.12345678901234568,
      0,
    ]);
  });
});
