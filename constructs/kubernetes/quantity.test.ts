import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesOf, coresOf, cpuText, type Memory, memoryOf, roundedMemory } from './quantity.ts';

describe('quantities', () => {
  test.each([
    ['1Gi', 2 ** 30],
    ['1.5Gi', 1.5 * 2 ** 30],
    ['100M', 1e8],
    ['12', 12],
  ] as const)('%s is %d bytes', (memory, bytes) => {
    expect(bytesOf(memory)).toBe(bytes);
  });

  test.each(['0Gi', '-1Gi', '1 Gi', '1gb', 'Gi', '1e3Gi', ''])('%s is no amount of memory', (memory) => {
    expect(bytesOf(memory as Memory)).toBeUndefined();
  });

  test('any number of bytes is written so that it is read back', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 2 ** 45 }), (bytes) => bytesOf(memoryOf(bytes)) === bytes));
  });

  test('rounding never gives less, and a whole number of Gi or Mi', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 45 }), (bytes) => {
        const rounded = roundedMemory(bytes);
        return (bytesOf(rounded) ?? 0) >= bytes && /^\d+(?:Ti|Gi|Mi)$/.test(rounded);
      }),
    );
  });

  test.each([
    [0.5, '500m'],
    [2, '2'],
    ['1500m', '1500m'],
    ['2000m', '2'],
  ] as const)('%s cores are written %s', (cpu, text) => {
    expect(cpuText(cpu)).toBe(text);
  });

  test.each([0, -1, Number.NaN, '0m', 'm' as '1m'] as const)('%s is no number of cores', (cpu) => {
    expect(coresOf(cpu)).toBeUndefined();
  });
});
