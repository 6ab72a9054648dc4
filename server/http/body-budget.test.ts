import { expect, test } from 'vitest';
import { BodyBudget } from './body-budget.ts';

test('large bodies share a budget, small ones are free', () => {
  const budget = new BodyBudget(200_000);
  expect([budget.take(150_000), budget.take(100_000), budget.take(1000)]).toEqual([true, false, true]);
  expect(budget.taken).toBe(150_000);
  budget.give(150_000);
  budget.give(1000);
  expect([budget.taken, budget.take(200_000)]).toEqual([0, true]);
});
