import fc from 'fast-check';
import { expect, test } from 'vitest';
import { commandText, logText } from './log-text.ts';

// How the runner recognises commands (actions/runner, ActionCommand.cs: TryParseV2 and TryParse).
const isCommand = (line: string) => line.trimStart().startsWith('::') || line.includes('##[');

test('leaves ordinary text as it is', () => {
  expect(logText('accuracy ≥ 0.90: 0.947 (a::b, C:\\x)\nsecond line')).toBe(
    'accuracy ≥ 0.90: 0.947 (a::b, C:\\x)\nsecond line',
  );
});

test('takes the power from workflow commands, old and new, on any line', () => {
  expect(logText('::error::x')).toBe(': :error::x');
  expect(logText('a\n  ::add-mask::a')).toBe('a\n  : :add-mask::a');
  expect(logText('x ##[error]y')).toBe('x ## [error]y');
});

test('shows a carriage return instead of letting it start a line', () => {
  expect(logText('x\r::set-env name=A::b')).toBe('x\\u{d}::set-env name=A::b');
});

test('no text whatever becomes a command', () => {
  const hostile = fc.string({ unit: fc.constantFrom(':', '#', '[', ' ', '\t', '\n', '\r', 'a', '\u2028', '\u0085') });
  fc.assert(
    fc.property(fc.oneof(hostile, fc.string()), (text) => {
      for (const line of logText(text).split(/\r\n|[\r\n]/)) expect(isCommand(line)).toBe(false);
    }),
    { numRuns: 2000 },
  );
});

test('what a command says holds no second end of its head', () => {
  expect(commandText('2 of 2 failed: ::error title=x::y :::z')).toBe('2 of 2 failed: : :error title=x: :y : : :z');
});
