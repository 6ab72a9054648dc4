import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { type MetricDefinition, predictionStatuses, servingMetrics } from '../../core/telemetry/index.ts';
import type { HistogramCounts } from './histogram-counts.ts';
import type { MeteredEngine } from './metered-engine.ts';
import type { VersionMeter } from './version-meter.ts';

type Labels = Readonly<Record<string, string>>;
interface Series<Value> {
  readonly labels: Labels;
  readonly value: Value;
}

/**
 * What `/metrics` shows: the server's series, read from the engine's meters when somebody asks, and the process's own (memory, processor
 * time, event loop) as prom-client measures them.
 */
export class Exposition {
  readonly contentType: string;
  readonly #registry = new Registry();
  readonly #accuracy = new Map<string, number>();

  constructor(engine: MeteredEngine) {
    this.contentType = this.#registry.contentType;
    const each = <Value>(series: (meter: VersionMeter, labels: Labels) => readonly Series<Value>[]) =>
      engine.meters().flatMap((meter) => series(meter, labelsOf(meter.model, meter.version)));
    const one = (part: (meter: VersionMeter) => HistogramCounts) => (): readonly Series<HistogramCounts>[] =>
      each((meter, labels) => [{ labels, value: part(meter) }]);
    const { latency, queue, inference, batchRows, predictionValue } = servingMetrics;
    this.#histogram(
      latency,
      one((meter) => meter.latency),
    );
    this.#histogram(
      queue,
      one((meter) => meter.queue),
    );
    this.#histogram(
      inference,
      one((meter) => meter.inference),
    );
    this.#histogram(
      batchRows,
      one((meter) => meter.batchRows),
    );
    this.#histogram(predictionValue, () =>
      each(({ predictions }, labels) =>
        [...predictions.values].map(([output, value]) => ({ labels: { ...labels, output }, value })),
      ),
    );
    this.#numbers(servingMetrics.predictions, () => [
      ...each(({ statuses }, labels) =>
        predictionStatuses.map((status) => ({ labels: { ...labels, status }, value: statuses[status] })),
      ),
      { labels: { ...labelsOf('', ''), status: 'unknown_model' }, value: engine.unknownModels },
    ]);
    this.#numbers(servingMetrics.predictionClass, () =>
      each(({ predictions }, labels) =>
        [...predictions.classes].flatMap(([output, classes]) =>
          [...classes].map(([name, value]) => ({ labels: { ...labels, output, class: name }, value })),
        ),
      ),
    );
    this.#numbers(servingMetrics.cache, () =>
      each(({ cacheHits, cacheMisses }, labels) => [
        { labels: { ...labels, result: 'hit' }, value: cacheHits },
        { labels: { ...labels, result: 'miss' }, value: cacheMisses },
      ]),
    );
    this.#numbers(servingMetrics.inFlight, () =>
      engine.gauges().map(({ model, version, inFlight }) => ({ labels: labelsOf(model, version), value: inFlight })),
    );
    this.#numbers(servingMetrics.queued, () =>
      engine.gauges().map(({ model, version, queued }) => ({ labels: labelsOf(model, version), value: queued })),
    );
    this.#numbers(servingMetrics.ready, () =>
      engine
        .versions()
        .map(({ model, version, state }) => ({ labels: labelsOf(model, version), value: state === 'ready' ? 1 : 0 })),
    );
    this.#numbers(servingMetrics.loadSeconds, () =>
      engine
        .versions()
        .flatMap(({ model, version, loadSeconds }) =>
          loadSeconds === undefined ? [] : [{ labels: labelsOf(model, version), value: loadSeconds }],
        ),
    );
    this.#numbers(servingMetrics.accuracy, () =>
      [...this.#accuracy].map(([model, value]) => ({ labels: { model_name: model }, value })),
    );
    collectDefaultMetrics({ register: this.#registry });
  }

  /** `accuracy` as a share, 0 to 1. */
  setAccuracy(model: string, accuracy: number): void {
    this.#accuracy.set(model, accuracy);
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #numbers(definition: MetricDefinition, read: () => readonly Series<number>[]): void {
    const { name, help, labels: labelNames } = definition;
    const settings = { name, help, labelNames, registers: [this.#registry] };
    if (definition.kind === 'gauge') {
      new Gauge({
        ...settings,
        collect() {
          this.reset();
          for (const { labels, value } of read()) this.set(labels, value);
        },
      });
    } else {
      new Counter({
        ...settings,
        collect() {
          this.reset();
          for (const { labels, value } of read()) this.inc(labels, value);
        },
      });
    }
  }

  #histogram(definition: MetricDefinition, read: () => readonly Series<HistogramCounts>[]): void {
    new CountedHistogram(definition, this.#registry, read);
  }
}

const labelsOf = (model: string, version: string): Labels => ({ model_name: model, model_version: version });

/** prom-client's histogram can only observe, one value at a time. This one shows counts kept elsewhere. */
class CountedHistogram extends Histogram {
  readonly #definition: MetricDefinition;
  readonly #read: () => readonly Series<HistogramCounts>[];

  constructor(definition: MetricDefinition, registry: Registry, read: () => readonly Series<HistogramCounts>[]) {
    const { name, help, labels, buckets = [] } = definition;
    super({ name, help, labelNames: labels, buckets: [...buckets], registers: [registry] });
    this.#definition = definition;
    this.#read = read;
  }

  override async get(): ReturnType<Histogram['get']> {
    const { name, help } = this.#definition;
    const values = this.#read().flatMap(({ labels, value: { bounds, counts, sum, count } }) => {
      let below = 0;
      return [
        ...[...bounds, '+Inf'].map((le, index) => {
          below += counts[index] ?? 0;
          return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: below };
        }),
        { metricName: `${name}_sum`, labels, value: sum },
        { metricName: `${name}_count`, labels, value: count },
      ];
    });
    // prom-client's type calls the kind a number; what it writes is the word.
    return { name, help, type: 'histogram' as never, values, aggregator: 'sum', collect: () => {} };
  }

  /** What the registry asks for when it writes text; the base class has it, its types do not. */
  getForPromString(): ReturnType<Histogram['get']> {
    return this.get();
  }
}
