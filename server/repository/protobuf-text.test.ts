import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readTextFormat, TextFormatError, type TextMessage, type TextValue } from './protobuf-text.ts';

type Plain = { readonly [name: string]: readonly (string | Plain)[] };

function plain(message: TextMessage): Plain {
  return Object.fromEntries(
    [...message].map(([name, values]) => [
      name,
      values.map((value) => (typeof value === 'string' ? value : plain(value))),
    ]),
  );
}

const read = (text: string): Plain => plain(readTextFormat(text));

describe('reading protobuf text format', () => {
  test("Triton's own example is read", () => {
    expect(
      read(`
        # Configuration of a model
        name: "churn"   # no newline in it
        platform: 'onnxruntime_onnx'
        max_batch_size: 32
        input [
          { name: "X" data_type: TYPE_FP32 dims: [ -1, 30 ] },
          { name: "Y" data_type: TYPE_STRING dims: 1; }
        ]
        dynamic_batching { preferred_batch_size: [ 8, 16 ] max_queue_delay_microseconds: 100 }
        instance_group: < count: 2 kind: KIND_CPU >
      `),
    ).toEqual({
      name: ['churn'],
      platform: ['onnxruntime_onnx'],
      max_batch_size: ['32'],
      input: [
        { name: ['X'], data_type: ['TYPE_FP32'], dims: ['-1', '30'] },
        { name: ['Y'], data_type: ['TYPE_STRING'], dims: ['1'] },
      ],
      dynamic_batching: [{ preferred_batch_size: ['8', '16'], max_queue_delay_microseconds: ['100'] }],
      instance_group: [{ count: ['2'], kind: ['KIND_CPU'] }],
    });
  });

  test('strings that follow each other are one, and escapes are read', () => {
    expect(read(String.raw`a: "on" 'e\n' "\x41\102\"" b: ""`)).toEqual({ a: ['one\nAB"'], b: [''] });
  });

  test('a field given several times, also as a list, has all its values in order', () => {
    expect(read('v: 1 v: [2, 3] v: 4 e: []')).toEqual({ v: ['1', '2', '3', '4'], e: [] });
  });

  test('extensions keep their name', () => {
    expect(read('[type.googleapis.com/a.B] { x: 1 }')).toEqual({ '[type.googleapis.com/a.B]': [{ x: ['1'] }] });
  });

  test.each([
    ['a {', 1],
    ['a: 1\n}', 2],
    ['a: "x', 1],
    ['a 1', 1],
    ['a:\n\n', 3],
    ['a: [1 2]', 1],
    ['\n"a": 1', 2],
    ['a: é', 1],
    ['[a', 1],
  ])('%j is refused with its line', (text, line) => {
    try {
      readTextFormat(text);
    } catch (error) {
      expect(error).toBeInstanceOf(TextFormatError);
      expect(error).toHaveProperty('line', line);
      return;
    }
    throw new Error('it was read');
  });

  test('messages nested very deeply are refused and not followed', () => {
    expect(() => readTextFormat('a{'.repeat(100_000))).toThrow(/nested more than/);
  });

  test('any message that is written is read back', () => {
    const { message } = fc.letrec<{ message: Plain; value: string | Plain }>((tie) => ({
      message: fc.dictionary(
        fc.stringMatching(/^[a-z_]{1,8}$/).filter((name) => name !== '__proto__'),
        fc.array(tie('value'), { maxLength: 3 }),
        { maxKeys: 4 },
      ),
      value: fc.oneof({ maxDepth: 3 }, fc.string(), tie('message')),
    }));
    const write = (value: TextValue | Plain | string): string =>
      typeof value === 'string'
        ? `"${value.replaceAll(/["\\\n]/g, (sign) => (sign === '\n' ? '\\n' : `\\${sign}`))}"`
        : `{ ${Object.entries(value)
            .map(([name, values]) => `${name}: [${values.map(write).join(', ')}]`)
            .join(' ')} }`;
    fc.assert(
      fc.property(message, (given) => {
        expect(read(write(given).slice(1, -1))).toEqual({ ...given });
      }),
    );
  });

  test('no text makes it do anything but read or refuse', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', ':', '{', '}', '<', '>', '[', ']', '"', "'", '\\', ',', '1', '#', '\n', ' ')),
        (signs) => {
          try {
            readTextFormat(signs.join(''));
          } catch (error) {
            expect(error).toBeInstanceOf(TextFormatError);
          }
        },
      ),
    );
  });
});
