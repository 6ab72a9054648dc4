import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nearestName, nearestNames, sameName } from './nearest-name.ts';

describe('nearestName', () => {
  it.each([
    ['acuracy', 'accuracy'],
    ['Accuracy', 'accuracy'],
    ['rocAuc', 'roc_auc'],
    ['min-rows', 'min_rows'],
    ['maxx', 'max'],
    ['mxa', 'max'],
  ])('takes %s for %s', (name, meant) => {
    expect(nearestName(name, ['accuracy', 'roc_auc', 'min_rows', 'min', 'max'])).toBe(meant);
  });

  it('counts two letters that changed places as one mistake', () => {
    expect(nearestName('lable', ['table_id', 'labels', 'label'])).toBe('label');
    expect(nearestName('lable_nmae', ['label_name'])).toBe('label_name');
    // Without the swap only the first would be one mistake away.
    expect(nearestNames('lable', ['cable', 'label'])).toEqual(['cable', 'label']);
  });

  it('guesses nothing where too many letters differ', () => {
    expect(nearestName('max', ['min'])).toBeUndefined();
    expect(nearestName('colour', ['accuracy', 'mae'])).toBeUndefined();
    expect(nearestName('___', ['a', '_'])).toBeUndefined();
    expect(nearestName('a'.repeat(100_000), ['accuracy', 'a'.repeat(100_000)])).toBeUndefined();
  });

  it('finds its way back from any mistake it allows', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'd'), minLength: 3, maxLength: 12 });
    const mistake = fc.record({ kind: fc.constantFrom('drop', 'add', 'change', 'swap'), at: fc.nat() });
    fc.assert(
      fc.property(letters, mistake, (name, { kind, at }) => {
        const spot = at % (name.length - 1);
        const [before, here = '', next = '', after] = [
          name.slice(0, spot),
          name[spot],
          name[spot + 1],
          name.slice(spot + 2),
        ];
        const middle = { drop: next, add: `${here}x${next}`, change: `x${next}`, swap: next + here }[kind];
        expect(nearestNames(`${before}${middle}${after}`, [`${name}yyyyy`, name])).toEqual([name]);
      }),
    );
  });
});

describe('nearestNames', () => {
  it('gives all that are equally near, in their order', () => {
    expect(nearestNames('age_3', ['age_1', 'income', 'age_2'])).toEqual(['age_1', 'age_2']);
    expect(nearestNames('AGE 2', ['age_1', 'income', 'age_2'])).toEqual(['age_2']);
  });
});

describe('sameName', () => {
  it('looks past case, dots, dashes, underscores and spaces, and takes none of two', () => {
    expect(sameName('Petal.Width', ['petal length', 'petal_width'])).toBe('petal_width');
    expect(sameName('petal', ['petal length', 'petal_width'])).toBeUndefined();
    expect(sameName('a b', ['a_b', 'a-b'])).toBeUndefined();
  });
});
