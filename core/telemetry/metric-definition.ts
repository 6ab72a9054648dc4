/** What a metric is, as data: dashboards, alerts, canaries and the server that exports it all read the same object. */
export interface MetricDefinition {
  /** As Prometheus stores it; a histogram's series add `_bucket`, `_sum` and `_count`. */
  readonly name: string;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  /** One sentence: what one observation is. */
  readonly help: string;
  readonly unit:
    | 'seconds'
    | 'rows'
    | 'requests'
    | 'ratio'
    | 'value'
    | 'boolean'
    | 'nats'
    | 'steps'
    | 'episodes'
    | 'timestamp';
  readonly labels: readonly string[];
  /** Upper bounds, ascending, without +Inf. Only for histograms. */
  readonly buckets?: readonly number[];
}
