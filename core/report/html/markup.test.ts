import fc from 'fast-check';
import { expect, test } from 'vitest';
import { html, trusted } from './markup.ts';

test('values are escaped, markup is kept, lists are joined, nothing is nothing', () => {
  expect(
    html`<p title="${'"\'`'}">${'<b>&'}${html`<i>${1}</i>`}${[trusted('<br>'), 'x', undefined, false]}</p>`.text,
  ).toBe('<p title="&#34;&#39;&#96;">&#60;b&#62;&#38;<i>1</i><br>x</p>');
});

test('controls, bidirectional overrides and lone surrogates cannot hide in a page', () => {
  expect(html`${'a\u0000\u202e\ud800b'}`.text).toBe('a\\u{0}\\u{202e}\\u{d800}b');
});

test('no text leaves its text node or its attribute', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(html`${text}`.text).not.toMatch(/[<>"'`\u0000-\u001f]/);
    }),
  );
});
