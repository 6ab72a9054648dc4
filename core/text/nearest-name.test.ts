import { describe, expect, it } from 'vitest';
import { nearestName } from './nearest-name.ts';

describe('nearestName', () => {
  it.each([
    ['acuracy', 'accuracy'],
    ['Accuracy', 'accuracy'],
    ['rocAuc', 'roc_auc'],
    ['min-rows', 'min_rows'],
    ['maxx', 'max'],
  ])('takes %s for %s', (name, meant) => {
    expect(nearestName(name, ['accuracy', 'roc_auc', 'min_rows', 'min', 'max'])).toBe(meant);
  });

  it('guesses nothing where too many letters differ', () => {
    expect(nearestName('max', ['min'])).toBeUndefined();
    expect(nearestName('colour', ['accuracy', 'mae'])).toBeUndefined();
    expect(nearestName('a'.repeat(100_000), ['accuracy'])).toBeUndefined();
  });
});
