import { type Exemplar, type Labels, type MetricType, metricTypes, type Sample } from './metric-family.ts';

/** What is wrong with a line. */
export interface ExpositionError {
  /** Counts from 1. */
  readonly line: number;
  readonly code:
    | 'invalid-name'
    | 'invalid-labels'
    | 'invalid-value'
    | 'invalid-timestamp'
    | 'invalid-exemplar'
    | 'invalid-metadata'
    | 'repeated-metadata'
    | 'no-end'
    | 'after-end'
    | 'too-large'
    | 'too-many-samples'
    | 'too-many-labels';
  /** One clause. What it quotes of the text is cut short and printable. */
  readonly message: string;
}

export type ExpositionFormat = 'prometheus' | 'openmetrics';

/** What a comment line says of a family. */
export type Metadata =
  | { readonly kind: 'TYPE'; readonly name: string; readonly type: MetricType }
  | { readonly kind: 'HELP' | 'UNIT'; readonly name: string; readonly text: string };

type Fault = Pick<ExpositionError, 'code' | 'message'>;

const metricName = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const labelName = /[a-zA-Z_][a-zA-Z0-9_]*/y;
const blanks = /[ \t]*/y;
const word = /[^ \t]*/y;
/** As Go's ParseFloat takes them, without hexadecimal: no server writes those. No two parts match the same digits: it stays linear. */
const decimal = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const infinite = /^([+-]?)inf(?:inity)?$/i;

/** Reads one line from left to right. Every part answers itself or a fault; nothing throws. */
export class LineReader {
  readonly #line: string;
  #at = 0;

  constructor(line: string) {
    this.#line = line;
    this.#take(blanks);
  }

  get blank(): boolean {
    return this.#at === this.#line.length;
  }

  get comment(): boolean {
    return this.#line[this.#at] === '#';
  }

  /** What a comment says: metadata, `# EOF`, or nothing to a program. */
  metadata(format: ExpositionFormat): Metadata | 'end' | Fault | undefined {
    this.#at += 1;
    if (this.#take(blanks) === '') return undefined;
    const kind = this.#take(word);
    if (kind === 'EOF' && this.#rest() === '') return 'end';
    if (kind !== 'TYPE' && kind !== 'HELP' && !(kind === 'UNIT' && format === 'openmetrics')) return undefined;
    this.#take(blanks);
    const name = this.#line[this.#at] === '"' ? this.#quoted() : this.#take(metricName);
    if (name === undefined || name === '' || !this.#separated())
      return { code: 'invalid-metadata', message: `# ${kind} names no metric: ${shown(this.#line)}` };
    const open = format === 'openmetrics';
    // OpenMetrics has exactly one space here; the older format ignores blanks at both ends.
    const text = open ? this.#rest().slice(1) : this.#rest().trim();
    if (kind !== 'TYPE') return { kind, name, text: unescaped(text, kind === 'HELP' && open) };
    const written = text.trim();
    const type = metricTypes.find((each) => each === written);
    return type === undefined
      ? { code: 'invalid-metadata', message: `${shown(written)} is no type of metric` }
      : { kind, name, type };
  }

  /** `name{label="value"} number timestamp`, in OpenMetrics with ` # {label="value"} number timestamp` behind it. */
  sample(format: ExpositionFormat, mostLabels: number): Omit<Sample, 'line'> | Fault {
    let name = this.#take(metricName);
    this.#take(blanks);
    let labels: Labels = {};
    if (this.#line[this.#at] === '{') {
      const read = this.#labels(mostLabels, name === '');
      if (isFault(read)) return read;
      labels = read.labels;
      if (name === '') name = read.name ?? '';
    }
    if (name === '') return { code: 'invalid-name', message: `no metric is named: ${shown(this.#line)}` };
    const value = this.#number('invalid-value');
    if (typeof value !== 'number') return value;
    const timestamp = this.#timestamp(format);
    if (isFault(timestamp)) return timestamp;
    const exemplar = format === 'openmetrics' ? this.#exemplar(mostLabels) : undefined;
    if (isFault(exemplar)) return exemplar;
    if (this.#rest() !== '')
      return { code: 'invalid-timestamp', message: `${shown(this.#rest())} is left at the end of the line` };
    return {
      name,
      labels,
      value,
      ...(timestamp === undefined ? {} : { timestamp }),
      ...(exemplar === undefined ? {} : { exemplar }),
    };
  }

  /** From `{` to `}`. Where the metric's name may stand inside, quoted, it comes first or anywhere (Prometheus 3). */
  #labels(most: number, nameInside: boolean): { readonly labels: Labels; readonly name?: string } | Fault {
    const fault = (what: string): Fault => ({ code: 'invalid-labels', message: `${what}: ${shown(this.#line)}` });
    const entries = new Map<string, string>();
    let name: string | undefined;
    this.#at += 1;
    for (;;) {
      this.#take(blanks);
      if (this.#line[this.#at] === '}') break;
      const quoted = this.#line[this.#at] === '"';
      const key = quoted ? this.#quoted() : this.#take(labelName);
      if (key === undefined || key === '') return fault('a label has no name');
      this.#take(blanks);
      if (this.#line[this.#at] !== '=') {
        if (!quoted || !nameInside || name !== undefined) return fault('a label has no value');
        name = key;
      } else {
        this.#at += 1;
        this.#take(blanks);
        const value = this.#line[this.#at] === '"' ? this.#quoted() : undefined;
        if (value === undefined) return fault("a label's value is not in quotes");
        if (entries.has(key)) return fault(`the label ${shown(key)} stands twice`);
        if (entries.size === most) return { code: 'too-many-labels', message: `a sample has more than ${most} labels` };
        entries.set(key, value);
      }
      this.#take(blanks);
      if (this.#line[this.#at] === ',') this.#at += 1;
      else if (this.#line[this.#at] !== '}') return fault('labels do not end with }');
    }
    this.#at += 1;
    // Own properties even for names like __proto__.
    return { labels: Object.fromEntries(entries), ...(name === undefined ? {} : { name }) };
  }

  /** A string in quotes with \\, \" and \n; `undefined` when it does not end. Other escapes stand for themselves, as in Prometheus. */
  #quoted(): string | undefined {
    let text = '';
    let from = this.#at + 1;
    for (let at = from; at < this.#line.length; at += 1) {
      const char = this.#line[at];
      if (char === '"') {
        this.#at = at + 1;
        return text + this.#line.slice(from, at);
      }
      if (char !== '\\') continue;
      const escaped = { n: '\n', '"': '"', '\\': '\\' }[this.#line[at + 1] ?? ''];
      if (escaped !== undefined) {
        text += this.#line.slice(from, at) + escaped;
        from = at + 2;
      }
      at += 1;
    }
    return undefined;
  }

  #number(code: Fault['code']): number | Fault {
    this.#take(blanks);
    const written = this.#take(word);
    const value = numberOf(written);
    return value ?? { code, message: written === '' ? 'the number is missing' : `${shown(written)} is no number` };
  }

  /** Milliseconds in the older format, seconds in OpenMetrics; answers milliseconds. */
  #timestamp(format: ExpositionFormat): number | Fault | undefined {
    this.#take(blanks);
    if (this.blank || this.comment) return undefined;
    const written = this.#take(word);
    const valid = format === 'openmetrics' ? decimal.test(written) : /^[+-]?\d+$/.test(written);
    if (!valid) return { code: 'invalid-timestamp', message: `${shown(written)} is no timestamp` };
    this.#take(blanks);
    return format === 'openmetrics' ? Number(written) * 1000 : Number(written);
  }

  #exemplar(mostLabels: number): Exemplar | Fault | undefined {
    this.#take(blanks);
    if (!this.comment) return undefined;
    this.#at += 1;
    this.#take(blanks);
    if (this.#line[this.#at] !== '{')
      return { code: 'invalid-exemplar', message: `an exemplar has no labels: ${shown(this.#line)}` };
    const read = this.#labels(mostLabels, false);
    if (isFault(read)) return { code: 'invalid-exemplar', message: read.message };
    const value = this.#number('invalid-exemplar');
    if (typeof value !== 'number') return value;
    const timestamp = this.#timestamp('openmetrics');
    if (isFault(timestamp)) return { code: 'invalid-exemplar', message: timestamp.message };
    return { labels: read.labels, value, ...(timestamp === undefined ? {} : { timestamp }) };
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#line)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }

  #separated(): boolean {
    return this.blank || this.#line[this.#at] === ' ' || this.#line[this.#at] === '\t';
  }

  #rest(): string {
    return this.#line.slice(this.#at);
  }
}

/** `undefined` for what is no number. */
export function numberOf(written: string): number | undefined {
  if (decimal.test(written)) return Number(written);
  const sign = infinite.exec(written)?.[1];
  if (sign !== undefined) return sign === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return /^nan$/i.test(written) ? Number.NaN : undefined;
}

function unescaped(text: string, quotes: boolean): string {
  return text.replace(quotes ? /\\([n"\\])/g : /\\([n\\])/g, (_, char: string) => (char === 'n' ? '\n' : char));
}

function isFault(read: unknown): read is Fault {
  return typeof read === 'object' && read !== null && 'code' in read && 'message' in read;
}

/** A piece of foreign text for a message: JSON's quotes and escapes, at most 60 characters, nothing a terminal acts on. */
function shown(text: string): string {
  const cut = text.length > 60 ? `${text.slice(0, 59)}…` : text;
  return JSON.stringify(cut).replace(
    /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
