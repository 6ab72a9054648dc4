import { printable } from '../../text/index.ts';

/** HTML that is safe to put into a page as it is: made by `html` or vouched for by `trusted`, never from outside. */
export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  toString(): string {
    return this.text;
  }
}

type Content = Markup | string | number | undefined | false | readonly Content[];

/**
 * A template whose every value is escaped, in a text node and in a quoted attribute alike, unless it is `Markup` itself. Control
 * and other invisible characters become visible. Lists are joined; `undefined` and `false` are nothing.
 */
export function html(strings: TemplateStringsArray, ...values: readonly Content[]): Markup {
  return new Markup(strings.reduce((text, string, position) => text + render(values[position - 1]) + string));
}

/** Markup that this program wrote: a style sheet, a drawing whose texts were escaped as it was made. */
export function trusted(text: string): Markup {
  return new Markup(text);
}

function render(value: Content): string {
  if (value === undefined || value === false) return '';
  if (value instanceof Markup) return value.text;
  if (typeof value === 'object') return value.map(render).join('');
  return printable(String(value))
    .replace(/\p{Surrogate}/gu, '\ufffd')
    .replace(/[&<>"'`]/g, (character) => `&#${character.codePointAt(0)};`);
}
