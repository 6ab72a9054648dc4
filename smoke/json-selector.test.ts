import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InputError } from '../core/problem/index.ts';
import { parseSelector } from './json-selector.ts';

const answer = {
  predictions: [
    { score: 1, 'a/b': ['x', 'y'] },
    { score: 2, 'a/b': ['z'] },
  ],
  'm~n': { '0': 'zero', '*': 'star', "it's": true },
  '': 'empty',
  nothing: null,
};

describe('a selector', () => {
  test.each([
    ['', answer],
    ['$', answer],
    ['/', 'empty'],
    ['/predictions/1/score', 2],
    ['$.predictions[1].score', 2],
    ['/predictions/*/score', [1, 2]],
    ['$.predictions[*].score', [1, 2]],
    ['$.predictions.*.score', [1, 2]],
    ['/predictions/*/a~1b/0', ['x', 'z']],
    ["$['predictions'][0]['a/b']", ['x', 'y']],
    ['/m~0n/0', 'zero'],
    ['/m~0n/*', 'star'],
    ['$["m~n"]["it\'s"]', true],
    ['/nothing', null],
    ['/predictions/2', undefined],
    ['/predictions/01', undefined],
    ['/predictions/length', undefined],
    ['/predictions/*/a~1b/1', undefined],
    ['/constructor', undefined],
    ['/__proto__', undefined],
    ['/nothing/more', undefined],
  ])('%s picks %j', (text, part) => {
    expect(parseSelector(text)(answer)).toEqual(part);
  });

  test.each([
    'predictions',
    '/a~2',
    '/a~',
    '$.',
    '$..a',
    '$[?(@.a)]',
    '$[(1)]',
    '$[-1]',
    '$[1:2]',
    '$a',
    "$['a",
    '$ .a',
  ])('%s is refused', (text) => {
    expect(() => parseSelector(text)).toThrow(InputError);
  });

  test('finds every member by its escaped name', () => {
    fc.assert(
      fc.property(fc.string(), fc.jsonValue(), (name, value) => {
        fc.pre(name !== '*');
        const pointer = `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
        expect(parseSelector(pointer)(Object.fromEntries([[name, value]]))).toEqual(value);
      }),
    );
  });

  test('is a function or an InputError, whatever the text and the value', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `$${text}`),
        ),
        fc.jsonValue(),
        (text, value) => {
          try {
            parseSelector(text)(value);
          } catch (error) {
            expect(error).toBeInstanceOf(InputError);
          }
        },
      ),
    );
  });
});
