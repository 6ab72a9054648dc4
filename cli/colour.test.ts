import { expect, test } from 'vitest';
import { wantsColour } from './colour.ts';

const terminal = { write: () => true, isTTY: true };
const pipe = { write: () => true };

test('a terminal is coloured and a pipe is not', () => {
  expect(wantsColour(terminal, {}, true)).toBe(true);
  expect(wantsColour(pipe, {}, true)).toBe(false);
});

test('NO_COLOR takes the colour away unless it is empty', () => {
  expect(wantsColour(terminal, { NO_COLOR: '1' }, true)).toBe(false);
  expect(wantsColour(terminal, { NO_COLOR: '' }, true)).toBe(true);
});

test('FORCE_COLOR colours a pipe, beats NO_COLOR, and 0 means no', () => {
  expect(wantsColour(pipe, { FORCE_COLOR: '1', NO_COLOR: '1' }, true)).toBe(true);
  expect(wantsColour(terminal, { FORCE_COLOR: '0' }, true)).toBe(false);
});

test('--no-color beats everything', () => {
  expect(wantsColour(terminal, { FORCE_COLOR: '1' }, false)).toBe(false);
});

test('a dumb terminal is not coloured', () => {
  expect(wantsColour(terminal, { TERM: 'dumb' }, true)).toBe(false);
});
