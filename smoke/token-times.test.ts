import { expect, test } from 'vitest';
import { TokenTimes } from './token-times.ts';

function figures(times: readonly number[], tokens?: number): ReturnType<TokenTimes['figures']> {
  const watch = new TokenTimes();
  for (const time of times) watch.came(time);
  return watch.figures(tokens);
}

test('the rate is that of the tokens after the first one', () => {
  expect(figures([250, 300, 500, 750], 11)).toEqual({ timeToFirstTokenMs: 250, tokens: 11, tokensPerSecond: 20 });
});

test('there is no rate without a count, of one token, or of tokens that came all at once', () => {
  expect(figures([250, 300])).toEqual({ timeToFirstTokenMs: 250 });
  expect(figures([250, 300], 1)).toEqual({ timeToFirstTokenMs: 250, tokens: 1 });
  expect(figures([250, 250], 9)).toEqual({ timeToFirstTokenMs: 250, tokens: 9 });
});

test('an answer without tokens has no first one', () => {
  expect(figures([], 0)).toEqual({ tokens: 0 });
});
