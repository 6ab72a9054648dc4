import { expect, test } from 'vitest';
import { parsedJson } from './parsed-json.ts';

test('JSON is parsed, and what is none is nothing', () => {
  expect(parsedJson('{"a":[1,null]}')).toEqual({ a: [1, null] });
  for (const text of ['', '{', '<html>', 'NaN', "{'a':1}", '{"a":1} x']) expect(parsedJson(text), text).toBeUndefined();
});
