import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Feeds } from '../core/onnx/index.ts';
import { InputError } from '../core/problem/index.ts';
import { fillPath, fillTemplate, type JsonTemplate, spoilTemplate } from './request-template.ts';

const one: Feeds = {
  age: { type: 'int64', data: BigInt64Array.of(9007199254740993n), dims: [1, 1] },
  country: { type: 'string', data: ['K"R{{rows}}'], dims: [1] },
  x: { type: 'float32', data: Float32Array.of(1, 2.5), dims: [1, 2] },
  'odd[1]': { type: 'int8', data: Int8Array.of(7), dims: [1] },
};
const x: Feeds = { x: { type: 'float32', data: Float32Array.of(1, 2, 3, 4), dims: [2, 2] } };
const many: Feeds = { ...x, n: { type: 'int8', data: Int8Array.of(5, 6), dims: [2] } };

describe('a template', () => {
  test.each<[JsonTemplate, Feeds, string]>([
    [{ rows: '{{rows}}' }, x, '{"rows":[[1,2],[3,4]]}'],
    ['{{rows}}', many, '[{"x":[1,2],"n":5},{"x":[3,4],"n":6}]'],
    ['{{ columns }}', many, '{"x":[[1,2],[3,4]],"n":[5,6]}'],
    [['{{inputs.n}}', 1, null, true, 'a}}'], many, '[[5,6],1,null,true,"a}}"]'],
    ['{{row}}', { age: one['age'] } as Feeds, '[9007199254740993]'],
    [
      { age: '{{value.age}}', country: '{{value.country}}', second: '{{value.x[1]}}', all: '{{row.x}}' },
      one,
      '{"age":9007199254740993,"country":"K\\"R{{rows}}","second":2.5,"all":[1,2.5]}',
    ],
    ['{{value.odd[1]}}', one, '7'],
    [{ 'k"ey': ['{{model}}', '{{version}}'] }, x, '{"k\\"ey":["m\\"","2"]}'],
  ])('%j is filled with JSON values', (template, feeds, text) => {
    expect(fillTemplate(template, { feeds, model: 'm"', version: '2' })).toBe(text);
  });

  test.each<[JsonTemplate, Feeds, string]>([
    ['{{rowz}}', x, 'bad-placeholder'],
    ['{{inputs.y}}', x, 'bad-placeholder'],
    ['{{inputs.toString}}', x, 'bad-placeholder'],
    ['{{value.x}}', one, 'bad-placeholder'],
    ['{{value.x[2]}}', one, 'bad-placeholder'],
    ['{{inputs.x[0]}}', one, 'bad-placeholder'],
    ['{{version}}', x, 'bad-placeholder'],
    ['{{row}}', x, 'several-rows'],
    ['{{value.n}}', many, 'several-rows'],
    ['rows: {{rows}}', x, 'placeholder-in-text'],
    [{ deep: [{ er: '{{rows}}{{rows}}' }] }, x, 'placeholder-in-text'],
  ])('%j is refused', (template, feeds, code) => {
    try {
      fillTemplate(template, { feeds });
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(InputError);
      expect((error as InputError).problems[0].code).toBe(code);
    }
  });

  test('cannot be broken out of by what a value holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (value, model) => {
        // Half a surrogate pair has no UTF-8 anyway.
        fc.pre(!/\p{Surrogate}/u.test(value + model));
        const feeds: Feeds = { s: { type: 'string', data: [value], dims: [1] } };
        const text = fillTemplate({ a: '{{value.s}}', b: '{{model}}', c: 1 }, { feeds, model });
        expect(JSON.parse(text)).toEqual({ a: value, b: model, c: 1 });
      }),
    );
  });

  test('can be spoilt: every placeholder becomes the same wrong value', () => {
    expect(spoilTemplate({ a: '{{rows}}', b: ['{{model}}', 'x'] }, 'null')).toBe('{"a":null,"b":[null,"x"]}');
  });
});

describe('a path', () => {
  test('takes model and version and nothing else, encoded', () => {
    expect(fillPath('/m/{{model}}/{{version}}?q=1', { model: '../a b', version: 'ü' })).toBe(
      '/m/..%2Fa%20b/%C3%BC?q=1',
    );
    expect(() => fillPath('/{{rows}}', { model: 'm' })).toThrow(InputError);
    expect(() => fillPath('/{{version}}', { model: 'm' })).toThrow(InputError);
  });
});
