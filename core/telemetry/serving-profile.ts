/** How a request ended. `unclear`: it failed, and the server does not say whose fault that was. */
export type Outcome = 'success' | ErrorClass;

/** Whose fault an error is. A bad request is the client's; a full queue, a timeout and a crash are the server's. */
export type ErrorClass = 'client' | 'server' | 'unclear';

export const errorClasses = ['client', 'server', 'unclear'] as const satisfies readonly ErrorClass[];

/** A label's value, where `.` stands for any one character and all else for itself: `5..` is every status from 500 to 599. */
export type ValuePattern = string;

/** Which values of a label mean which end of a request. */
export interface OutcomeLabel {
  readonly label: string;
  readonly values: { readonly [outcome in Outcome]?: readonly ValuePattern[] };
  /** What a value that is not among them means. */
  readonly otherwise: Outcome;
}

/** Only series whose labels have one of these values count. */
export type Where = Readonly<Record<string, readonly ValuePattern[]>>;

/** A counter of requests. */
export interface RequestCounter {
  /** As Prometheus stores it. */
  readonly series: string;
  readonly where?: Where;
  /** How the requests ended that it counts: one way all, or by a label. Absent: it does not say. */
  readonly outcome?: Outcome | OutcomeLabel;
}

export type MeasureUnit = 'seconds' | 'milliseconds' | 'microseconds' | 'rows' | 'tokens';

interface DistributionFacts {
  readonly unit: MeasureUnit;
  readonly where?: Where;
  /** `server`: it has no label for the model; all models of the process count together. */
  readonly scope?: 'server';
  /** Without this setting the server does not show it. */
  readonly setting?: string;
  /** What a reader of the number has to know. */
  readonly note?: string;
}

/** Something measured at every request, as the server shows it: counted in buckets, as quantiles, or only as a sum and a count. */
export type Distribution = DistributionFacts &
  (
    | {
        readonly kind: 'histogram';
        /** Without `_bucket`, `_sum`, `_count`. */
        readonly series: string;
        /** Upper bounds in `unit`, ascending, without +Inf, as the server has them by default. Absent: they are set for each model. */
        readonly buckets?: readonly number[];
      }
    | {
        readonly kind: 'summary';
        /** Without `_sum`, `_count`. */
        readonly series: string;
        /** Quantiles it tells, 0 to 1. */
        readonly quantiles: readonly number[];
      }
    | {
        readonly kind: 'total';
        /** The counter of the sum. */
        readonly sum: string;
        /** The counter of what was summed. */
        readonly count: string;
      }
  );

/** A number that goes up and down. */
export interface Gauge {
  readonly series: string;
  /** What to multiply by to have requests, bytes, or a share from 0 to 1. Default 1. */
  readonly scale?: number;
  readonly where?: Where;
  readonly scope?: 'server';
}

/** What an LLM server tells beyond requests. */
export interface TokenSeries {
  /** Counter of tokens read. */
  readonly prompt: string;
  /** Counter of tokens written. */
  readonly generated: string;
  /** Absent: it does not tell. */
  readonly timeToFirst?: Distribution;
  /** Between one token and the next. */
  readonly between: Distribution;
  /** Share of the key-value cache in use, 0 to 1. */
  readonly cacheUsed?: Gauge;
}

export interface GpuSeries {
  /** Share, 0 to 1. */
  readonly utilization: Gauge;
  /** Bytes. */
  readonly memoryUsed: Gauge;
  /** Bytes. */
  readonly memoryTotal?: Gauge;
  /** The label that tells the GPUs apart. */
  readonly label: string;
}

/** What a profile either has, or says why not. */
export const signals = [
  'version',
  'outcomes',
  'latency',
  'buckets',
  'queue',
  'batch',
  'inFlight',
  'queued',
  'tokens',
  'gpu',
] as const;
export type Signal = (typeof signals)[number];

/** Which of a model server's series mean what. Plain data: queries, dashboards, alerts, canaries and the scraper all read it. */
export interface ServingProfile {
  readonly name: string;
  /** For people: `NVIDIA Triton`. */
  readonly title: string;
  /** The release the names were read from, and run against where it says so. */
  readonly version: string;
  /** Where each name was read: documentation or source at that release. */
  readonly sources: readonly string[];
  /** The server's own labels. What it has no label for, Prometheus may add as it scrapes: `targetLabels`. */
  readonly labels: { readonly model?: string; readonly version?: string; readonly namespace?: string };
  /** All requests that reached a model. Together they are the total; none counts a request another counts. */
  readonly requests: readonly RequestCounter[];
  /** The same requests by how they ended. Often the same counters. */
  readonly outcomes?: readonly RequestCounter[];
  /** Requests to the whole server by how they ended, for servers that don't tell by model, or tell more there. */
  readonly serverOutcomes?: readonly RequestCounter[];
  /** Of a request, the one to prefer first. */
  readonly latency: readonly Distribution[];
  /** Time before the model ran. */
  readonly queue?: Distribution;
  /** Rows that ran together. */
  readonly batch?: Distribution;
  /** Requests taken and not yet answered. */
  readonly inFlight?: Gauge;
  /** Requests that wait. */
  readonly queued?: Gauge;
  readonly tokens?: TokenSeries;
  readonly gpu?: GpuSeries;
  /** Why a signal is not there, and what to use instead. */
  readonly absent: { readonly [signal in Signal]?: string };
  /** What to know before these numbers decide anything. */
  readonly cautions: readonly string[];
}

/**
 * Labels that Prometheus adds to every series of a target, as the Prometheus operator does: `namespace` and `pod` always, the pod's
 * label `sluice.dev/model-version` when a PodMonitor's or ServiceMonitor's `podTargetLabels` names it.
 */
export const targetLabels = {
  namespace: 'namespace',
  pod: 'pod',
  version: 'sluice_dev_model_version',
} as const;

/** Whether a profile has a signal. */
export function hasSignal(profile: ServingProfile, signal: Signal): boolean {
  switch (signal) {
    case 'version':
      return profile.labels.version !== undefined;
    case 'outcomes':
      return profile.outcomes !== undefined;
    case 'latency':
      return profile.latency.length > 0;
    case 'buckets':
      return profile.latency.some(
        ({ kind, setting, scope }) => kind === 'histogram' && setting === undefined && scope === undefined,
      );
    default:
      return profile[signal] !== undefined;
  }
}
