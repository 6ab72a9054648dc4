import type { ColumnValues } from '../../core/data/index.ts';

/** A target with more distinct labels than this is none. */
const mostSpelled = 10_000;

/**
 * One spelling of labels for the data, the model and the policy. Where one side holds numbers and the other text (`1` and `"1"`), both are
 * read as numbers; where both hold text, text is exact.
 */
export class LabelNames {
  readonly #numeric: boolean;
  /** One string a label, however many rows have it: else every row would be spelled, and looked up by its letters. */
  readonly #spelled = new Map<string | number | boolean, string>();

  constructor(target: ColumnValues, others: readonly (readonly (string | number)[])[]) {
    this.#numeric =
      target.kind === 'number' || others.some((labels) => labels.some((label) => typeof label === 'number'));
  }

  of(label: string | number | boolean): string {
    const known = this.#spelled.get(label);
    if (known !== undefined) return known;
    const name = this.#spell(label);
    if (this.#spelled.size < mostSpelled) this.#spelled.set(label, name);
    return name;
  }

  #spell(label: string | number | boolean): string {
    if (typeof label === 'number') return String(label === 0 ? 0 : label);
    if (!this.#numeric) return String(label);
    const text = String(label).trim();
    // DuckDB's and Python's booleans; a boolean column is read as 0 and 1.
    if (/^true$/i.test(text)) return '1';
    if (/^false$/i.test(text)) return '0';
    return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? this.#spell(Number(text)) : text;
  }

  /** Distinct labels in scikit-learn's order: numbers by value, text by its characters. */
  sorted(labels: Iterable<string>): string[] {
    return this.#numeric ? sortedLabels(labels) : byCharacters(labels);
  }
}

/** Distinct labels by value where all are numbers, else by their characters: the order of labels of which one side may hold numbers. */
export function sortedLabels(labels: Iterable<string>): string[] {
  const distinct = [...new Set(labels)];
  return distinct.every((label) => label.trim() !== '' && Number.isFinite(Number(label)))
    ? distinct.sort((left, right) => Number(left) - Number(right))
    : byCharacters(distinct);
}

function byCharacters(labels: Iterable<string>): string[] {
  // Without a comparator: by UTF-16 code units.
  return [...new Set(labels)].sort();
}
