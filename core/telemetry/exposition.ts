import { type ExpositionError, type ExpositionFormat, LineReader, type Metadata } from './exposition-line.ts';
import type { MetricFamily, MetricType, Sample } from './metric-family.ts';

/** What a `/metrics` shows. */
export interface Exposition {
  readonly format: ExpositionFormat;
  readonly families: readonly MetricFamily[];
  /** Those of all families, in the order of the text. */
  readonly samples: readonly Sample[];
  /**
   * Empty if all was understood. Prometheus drops a whole scrape for one such line; here the other lines are still read, and the
   * caller decides. At most `mostErrors`.
   */
  readonly errors: readonly ExpositionError[];
}

/** How much is read. What answers at a metrics URL may be anything. */
export interface ExpositionLimits {
  /** UTF-16 units. Default 32 Mi: what a busy Ray head shows is 5 MB. */
  readonly length?: number;
  /** Default 200,000. */
  readonly samples?: number;
  /** Of one sample. Default 128. */
  readonly labels?: number;
}

/** Errors that are told; there may be more. */
export const mostErrors = 100;

const defaultLimits = { length: 32 * 2 ** 20, samples: 200_000, labels: 128 } as const;

/** Which families take a sample of this suffix. */
const suffixes: readonly (readonly [suffix: string, types: readonly MetricType[]])[] = [
  ['_bucket', ['histogram', 'gaugehistogram']],
  ['_sum', ['histogram', 'summary']],
  ['_count', ['histogram', 'summary']],
];

/** Only OpenMetrics has these; in the older format a counter's samples have its own name. */
const openSuffixes: typeof suffixes = [
  ...suffixes,
  ['_gsum', ['gaugehistogram']],
  ['_gcount', ['gaugehistogram']],
  ['_total', ['counter']],
  ['_created', ['counter', 'histogram', 'summary']],
  ['_info', ['info']],
];

/**
 * Reads the Prometheus text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats) and OpenMetrics 1.0
 * (https://github.com/prometheus/OpenMetrics, RFC-style `specification/OpenMetrics.md`), with Prometheus 3's quoted UTF-8 names.
 * Never throws.
 * @param format as the answer's `Content-Type` says (`formatOf`); without it, a text that ends with `# EOF` is OpenMetrics
 */
export function parseExposition(
  text: string,
  options: { readonly format?: ExpositionFormat; readonly limits?: ExpositionLimits } = {},
): Exposition {
  const limits = { ...defaultLimits, ...options.limits };
  const format = options.format ?? (/(?:^|\n)# EOF\n?$/.test(text.slice(-8)) ? 'openmetrics' : 'prometheus');
  const families = new Families(format === 'openmetrics' ? openSuffixes : suffixes);
  const samples: Sample[] = [];
  const errors: ExpositionError[] = [];
  const tell = (line: number, code: ExpositionError['code'], message: string): void => {
    if (errors.length < mostErrors) errors.push({ line, code, message });
  };
  const result = (): Exposition => ({ format, families: families.finished(), samples, errors });

  if (text.length > limits.length) {
    tell(1, 'too-large', `the text has ${text.length} characters; at most ${limits.length} are read`);
    return result();
  }
  let ended = false;
  let line = 0;
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline;
    const reader = new LineReader(text.slice(start, end));
    start = end + 1;
    line += 1;
    if (ended) {
      tell(line, 'after-end', 'there is text after "# EOF"');
      break;
    }
    if (reader.blank) continue;
    if (reader.comment) {
      const metadata = reader.metadata(format);
      if (metadata === 'end') ended = format === 'openmetrics';
      else if (metadata !== undefined) {
        const problem = 'code' in metadata ? metadata : families.announce(metadata);
        if (problem !== undefined) tell(line, problem.code, problem.message);
      }
      continue;
    }
    if (samples.length >= limits.samples) {
      tell(line, 'too-many-samples', `only the first ${limits.samples} samples are read`);
      break;
    }
    const read = reader.sample(format, limits.labels);
    if ('code' in read) tell(line, read.code, read.message);
    else {
      const sample: Sample = { ...read, line };
      samples.push(sample);
      families.add(sample);
    }
  }
  if (format === 'openmetrics' && !ended && errors.every(({ code }) => code !== 'too-many-samples'))
    tell(Math.max(1, line), 'no-end', 'the text does not end with "# EOF": it is cut off');
  return result();
}

/** The format an answer's `Content-Type` names, if it names one of the two. */
export function formatOf(contentType: string): ExpositionFormat | undefined {
  const [type = ''] = contentType.split(';');
  if (type.trim().toLowerCase() === 'application/openmetrics-text') return 'openmetrics';
  return type.trim().toLowerCase() === 'text/plain' ? 'prometheus' : undefined;
}

interface FamilyDraft {
  readonly name: string;
  type?: MetricType;
  help?: string;
  unit?: string;
  readonly samples: Sample[];
}

class Families {
  readonly #byName = new Map<string, FamilyDraft>();
  readonly #suffixes: typeof suffixes;

  constructor(known: typeof suffixes) {
    this.#suffixes = known;
  }

  announce(metadata: Metadata): Pick<ExpositionError, 'code' | 'message'> | undefined {
    const family = this.#family(metadata.name);
    const again = { code: 'repeated-metadata', message: `a second # ${metadata.kind} of the same metric` } as const;
    switch (metadata.kind) {
      case 'TYPE':
        if (family.type !== undefined) return again;
        if (family.samples.length > 0)
          return { code: 'repeated-metadata', message: '# TYPE comes after samples of its metric' };
        family.type = metadata.type;
        return undefined;
      case 'HELP':
        if (family.help !== undefined) return again;
        family.help = metadata.text;
        return undefined;
      case 'UNIT':
        if (family.unit !== undefined) return again;
        family.unit = metadata.text;
        return undefined;
    }
  }

  add(sample: Sample): void {
    this.#of(sample.name).samples.push(sample);
  }

  finished(): readonly MetricFamily[] {
    return [...this.#byName.values()].map(({ type = 'untyped', ...rest }) => ({ ...rest, type }));
  }

  #of(name: string): FamilyDraft {
    const exact = this.#byName.get(name);
    if (exact !== undefined) return exact;
    for (const [suffix, types] of this.#suffixes) {
      if (!name.endsWith(suffix)) continue;
      const family = this.#byName.get(name.slice(0, -suffix.length));
      if (family?.type !== undefined && types.includes(family.type)) return family;
    }
    return this.#family(name);
  }

  #family(name: string): FamilyDraft {
    let family = this.#byName.get(name);
    if (family === undefined) {
      family = { name, samples: [] };
      this.#byName.set(name, family);
    }
    return family;
  }
}
