import type { Outputs, Tensor } from '../../core/onnx/index.ts';
import { mostClasses, servingMetrics } from '../../core/telemetry/index.ts';
import { excerpt } from '../../core/text/index.ts';
import { HistogramCounts } from './histogram-counts.ts';

/** Of a large answer this many rows, evenly spread, are looked at: the distribution needs no more and the hot path has no more time. */
const rowsLookedAt = 8;
/** Outputs up to this wide have a histogram for each column: class probabilities taken together would always look the same. */
const columnsApart = 10;
/** Of a wider output this many values of a row, evenly spread, go into one histogram. */
const valuesLookedAt = 16;

/** What a model answers, counted for each output: a histogram for numbers, a counter for labels. Drift shows here first. */
export class PredictionDistribution {
  /** By output, or `output[column]`. */
  readonly values = new Map<string, HistogramCounts>();
  /** By output, then class. */
  readonly classes = new Map<string, Map<string, number>>();
  /** By output: its columns' histograms, so that counting makes no strings. */
  readonly #columns = new Map<string, readonly HistogramCounts[]>();

  record(outputs: Outputs): void {
    for (const name in outputs) {
      const tensor = outputs[name];
      if (tensor !== undefined) this.#recordOutput(name, tensor);
    }
  }

  #recordOutput(name: string, tensor: Tensor): void {
    const { data, dims, type } = tensor;
    const total = data.length;
    if (total === 0) return;
    const rows = dims.length === 0 ? 1 : (dims[0] ?? 1);
    const width = Math.max(1, Math.floor(total / Math.max(1, rows)));
    const step = rows <= rowsLookedAt ? 1 : rows / rowsLookedAt;
    const numeric = type === 'float32' || type === 'float64' || type === 'float16';
    if (!numeric) {
      // Labels come one a row; a wide output of integers or strings (token numbers, boxes) is no label.
      if (width > 1) return;
      for (let row = 0; row < rows; row += step) this.#countClass(name, className(data[Math.floor(row)], type));
      return;
    }
    const columns = this.#columnsOf(name, width);
    const stride = columns.length > 1 || width === 1 ? 1 : Math.max(1, Math.floor(width / valuesLookedAt));
    for (let row = 0; row < rows; row += step) {
      const start = Math.floor(row) * width;
      for (let column = 0; column < width; column += stride) {
        const value = data[start + column] ?? 0;
        if (Number.isFinite(value)) (columns[column] ?? columns[0])?.observe(value);
        else this.#countClass(name, String(value));
      }
    }
  }

  #columnsOf(name: string, width: number): readonly HistogramCounts[] {
    const known = this.#columns.get(name);
    // An output of varying width keeps the columns its first answer had.
    if (known !== undefined) return known;
    const apart = width > 1 && width <= columnsApart;
    const names = apart ? Array.from({ length: width }, (_, column) => `${name}[${column}]`) : [name];
    const made = names.map(() => new HistogramCounts(servingMetrics.predictionValue.buckets));
    names.forEach((each, index) => {
      const counts = made[index];
      if (counts !== undefined) this.values.set(each, counts);
    });
    this.#columns.set(name, made);
    return made;
  }

  #countClass(output: string, name: string): void {
    let counts = this.classes.get(output);
    if (counts === undefined) {
      counts = new Map();
      this.classes.set(output, counts);
    }
    const known = counts.get(name);
    if (known !== undefined) counts.set(name, known + 1);
    else if (counts.size < mostClasses) counts.set(name, 1);
    else counts.set('other', (counts.get('other') ?? 0) + 1);
  }
}

function className(value: unknown, type: string): string {
  if (type === 'bool') return value === 0 ? 'false' : 'true';
  return typeof value === 'string' ? excerpt(value) : String(value);
}
