import type { QueryUnit } from '../../core/telemetry/index.ts';

/** One line or several of a panel. */
export interface PanelQuery {
  readonly expr: string;
  /** Grafana puts the values of labels in: `{{model_version}}`. */
  readonly legend: string;
}

/**
 * Who exports what a panel shows: the model server, which `job` and `instance` select; a rule, whose series have neither any more; an exporter
 * of the cluster, whose job is its own; a job beside the server.
 */
export type PanelSource = 'server' | 'rule' | 'cluster' | 'job';

export interface Panel {
  readonly title: string;
  /** What the lines are, and what to think of them. */
  readonly description: string;
  readonly unit: QueryUnit;
  readonly source: PanelSource;
  readonly queries: readonly PanelQuery[];
  /** Lines on top of each other, where their sum means something. */
  readonly stacked?: boolean;
  /** It may fall below nought. */
  readonly signed?: boolean;
  /** Where the colour changes to orange and to red. */
  readonly bounds?: readonly [orange: number, red: number];
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
  /** Closed until somebody looks: what not every installation has. */
  readonly collapsed?: boolean;
}

/** What the reader chooses from. */
export interface Variable {
  readonly name: string;
  readonly label: string;
  /** Grafana's `label_values(series{conditions}, label)`. */
  readonly query: string;
  /** The last value first: of versions, the newest. */
  readonly descending?: boolean;
  /** One value or several; several also means all. */
  readonly several: boolean;
  /** What all means. `.+`: any value there is. `.*`: also series without the label. Absent: the values the query finds, one by one. */
  readonly all?: '.+' | '.*';
}

/** A dashboard as data, before it is Grafana's. */
export interface DashboardContent {
  /** Names it for good: links and updates go by it. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly variables: readonly Variable[];
  readonly rows: readonly Row[];
}
