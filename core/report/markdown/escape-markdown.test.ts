import fc from 'fast-check';
import { marked } from 'marked';
import { expect, test } from 'vitest';
import { escapeMarkdown } from './escape-markdown.ts';

const zeroWidth = '&#8203;';

test.each([
  ['a|b', 'a&#124;b'],
  ['@team', `@${zeroWidth}team`],
  ['user@host.test', `user@${zeroWidth}host.test`],
  ['#123', `#${zeroWidth}123`],
  ['GH-7', `GH${zeroWidth}-7`],
  ['https://x.test', `https:${zeroWidth}//x.test`],
  ['www.x.test', `www${zeroWidth}.x.test`],
  [':tada: :100:', `:${zeroWidth}tada: :${zeroWidth}100:`],
  ['sluice.yaml:12', 'sluice.yaml:12'],
  ['<!-- x -->', '&#60;!-- x --&#62;'],
  ['a\nb', 'a&#92;u{a}b'],
  ['&lt;', '&#38;lt;'],
])('%j becomes %j', (text, escaped) => {
  expect(escapeMarkdown(text)).toBe(escaped);
});

test('cuts before escaping, to 80 characters unless told otherwise', () => {
  expect(escapeMarkdown('|'.repeat(100))).toBe(`${'&#124;'.repeat(79)}…`);
  expect(escapeMarkdown('abcdef', 3)).toBe('ab…');
});

const hostile = fc.string({
  unit: fc.oneof(
    fc.constantFrom(...'|`*_[]()<>&@#:/\\~$!-+.{}"\'\n\r\t 1aG'),
    fc.constantFrom(
      'https://',
      'www.a.test',
      '<script>',
      '![',
      '](',
      '<!--',
      '-->',
      '@org/team',
      '```',
      'GH-1',
      '\u001b[',
      '\u202e',
    ),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
  ),
  maxLength: 60,
});

test('in a table cell it stays one cell of plain text, for whatever text', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const html = marked.parse(`| a | b |\n| --- | --- |\n| x${escapeMarkdown(text, 1000)}x | end |\n`, {
        async: false,
      });
      expect(html.match(/<[a-z]+/g)).toEqual(['<table', '<thead', '<tr', '<th', '<th', '<tbody', '<tr', '<td', '<td']);
      expect(html).toContain('<td>end</td>');
    }),
    { numRuns: 1000 },
  );
});

test('nothing in it can be a mention, a reference, a link or an emoji', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const escaped = escapeMarkdown(text, 1000);
      expect(escaped.replaceAll(/&#\d+;/g, '\u0000')).not.toMatch(
        /@[\w-]|#\d|\bGH-\d|:\/\/|\bwww\.|:[a-z+]\w*:|[<>|`\n]/i,
      );
    }),
    { numRuns: 1000 },
  );
});
