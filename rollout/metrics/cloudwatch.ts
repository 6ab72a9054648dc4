import * as z from 'zod';
import { InputError, PeerError } from '../../core/problem/index.ts';
import { type CloudWatchMetric, sageMakerFleetDimension, sageMakerMetrics } from '../../core/telemetry/index.ts';
import { excerpt } from '../../core/text/index.ts';
import { AwsApi, type AwsPlace } from '../aws/aws-api.ts';
import type { MetricsSource, Reading } from '../metrics-source.ts';
import { latencyEdges } from './latency-edges.ts';
import { type Minute, MinuteCounts, minute } from './minute-counts.ts';

/** Which of an endpoint's metrics are an arm's. */
export interface CloudWatchArm {
  /** The production variant. */
  readonly variant: string;
  /** During a guarded deployment both fleets have variants of one name, and this tells them apart. */
  readonly endpointConfig?: string | undefined;
}

export interface CloudWatchOptions extends AwsPlace {
  /** The SageMaker endpoint's name. */
  readonly endpointName: string;
  readonly canary: CloudWatchArm;
  readonly baseline: CloudWatchArm;
  /** Edges of the latency histogram in milliseconds, rising. @default from 5 ms to 10 s */
  readonly edgesMs?: readonly number[] | undefined;
}

/**
 * SageMaker's own metrics (namespace `AWS/SageMaker`), by `GetMetricData`, by the minute: `Invocations` and `Invocation5XXErrors` by their
 * sum, `ModelLatency` by how many of its values are at or below each edge (statistic `TC(:x)`, trimmed count) and by `SampleCount`, so that
 * the histogram is made of counts and not of guesses between percentiles. `ModelLatency` is the time of the container, without SageMaker's
 * overhead.
 *
 * A request of which the client is to blame (4xx) is no error. A look costs 2 x (3 + edges) metrics of GetMetricData.
 *
 * Sources: https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html,
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
 *
 * Throws an InputError for two arms that are the same, and for edges that do not rise.
 */
export function openCloudWatch(options: CloudWatchOptions): MetricsSource {
  return new CloudWatch(options);
}

const answer = z.looseObject({
  MetricDataResults: z
    .array(
      z.looseObject({
        Id: z.string(),
        Timestamps: z.array(z.number()).nullish(),
        Values: z.array(z.number()).nullish(),
        StatusCode: z.string().nullish(),
        Messages: z.array(z.looseObject({ Code: z.string().nullish(), Value: z.string().nullish() })).nullish(),
      }),
    )
    .nullish(),
  NextToken: z.string().nullish(),
});

type ArmName = 'canary' | 'baseline';
const arms: readonly ArmName[] = ['canary', 'baseline'];
/** A look itself takes its time, and dates are whole seconds. Milliseconds. */
const mostDrift = 30_000;

class CloudWatch implements MetricsSource {
  readonly name = 'cloudwatch';
  readonly title: string;
  readonly #options: CloudWatchOptions;
  readonly #api: AwsApi;
  readonly #edges: readonly number[];
  readonly #counts: Readonly<Record<ArmName, MinuteCounts>>;

  constructor(options: CloudWatchOptions) {
    const { canary, baseline, edgesMs, endpointName } = options;
    if (canary.variant === baseline.variant && canary.endpointConfig === baseline.endpointConfig)
      throw sameArms(canary);
    this.#options = options;
    this.#api = new AwsApi('cloudwatch', options);
    this.#edges = latencyEdges(edgesMs);
    this.#counts = {
      canary: new MinuteCounts(nameOf(canary), this.#edges),
      baseline: new MinuteCounts(nameOf(baseline), this.#edges),
    };
    this.title = `CloudWatch metrics of the SageMaker endpoint ${excerpt(endpointName)}`;
  }

  async read(signal?: AbortSignal): Promise<Reading> {
    signal?.throwIfAborted();
    // The first question is only to learn AWS's time: counting begins with a minute of its own.
    if (this.#api.now === undefined) await this.#ask(Date.now() - minute, Date.now(), signal);
    const began = this.#api.now ?? Date.now();
    const first = await this.#look(began, signal);
    // Minutes are AWS's. Where its answer tells another time than was thought, they were the wrong ones.
    const now = this.#api.now ?? began;
    return Math.abs(now - began) < mostDrift ? first : this.#look(now, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#api[Symbol.asyncDispose]();
  }

  async #look(now: number, signal: AbortSignal | undefined): Promise<Reading> {
    const remarks: string[] = [];
    const spans = arms.map((arm) => this.#counts[arm].span(now));
    const [from, to] = [Math.min(...spans.map((span) => span.from)), Math.max(...spans.map((span) => span.to))];
    const found = await this.#ask(from, to, signal);
    const series = (arm: ArmName) => {
      this.#counts[arm].add(minutesOf(arm, found, this.#edges.length));
      const counts = this.#counts[arm].counts(to);
      if (counts !== undefined && counts.latency === undefined) {
        remarks.push(`CloudWatch counts no latency of the ${arm}: it is left out.`);
      }
      if (counts !== undefined) return [counts];
      remarks.push(`CloudWatch has no invocation of the ${arm} (${nameOf(this.#options[arm])}) yet.`);
      return [];
    };
    return { canary: series('canary'), baseline: series('baseline'), remarks };
  }

  /** The values of each query by the minute's beginning. */
  async #ask(
    from: number,
    to: number,
    signal: AbortSignal | undefined,
  ): Promise<ReadonlyMap<string, ReadonlyMap<number, number>>> {
    const found = new Map<string, Map<number, number>>();
    let next: string | undefined;
    do {
      const page: z.infer<typeof answer> = await this.#api.call(
        'GetMetricData',
        {
          MetricDataQueries: arms.flatMap((arm) => this.#queries(arm)),
          StartTime: from / 1000,
          EndTime: to / 1000,
          ScanBy: 'TimestampAscending',
          ...(next === undefined ? {} : { NextToken: next }),
        },
        answer,
        { title: this.title, signal },
      );
      for (const { Id, Timestamps, Values, StatusCode, Messages } of page.MetricDataResults ?? []) {
        if (StatusCode === 'Forbidden' || StatusCode === 'InternalError')
          throw partial(this.title, StatusCode, Messages?.[0]?.Value);
        const values = found.get(Id) ?? new Map<number, number>();
        for (const [index, at] of (Timestamps ?? []).entries()) values.set(at * 1000, Values?.[index] ?? 0);
        found.set(Id, values);
      }
      next = page.NextToken ?? undefined;
    } while (next !== undefined);
    return found;
  }

  #queries(arm: ArmName): readonly Readonly<Record<string, unknown>>[] {
    const { endpointName } = this.#options;
    const { variant, endpointConfig } = this.#options[arm];
    const values: Readonly<Record<string, string>> = { EndpointName: endpointName, VariantName: variant };
    const fleet = endpointConfig === undefined ? [] : [{ Name: sageMakerFleetDimension, Value: endpointConfig }];
    const query = (id: string, { namespace, name, dimensions }: CloudWatchMetric, stat: string) => ({
      Id: `${arm}_${id}`,
      MetricStat: {
        Metric: {
          Namespace: namespace,
          MetricName: name,
          Dimensions: [...dimensions.map((Name) => ({ Name, Value: values[Name] ?? '' })), ...fleet],
        },
        Period: 60,
        Stat: stat,
      },
      ReturnData: true,
    });
    const { requests, serverErrors, latency } = sageMakerMetrics;
    return [
      query('requests', requests, 'Sum'),
      query('errors', serverErrors, 'Sum'),
      query('timed', latency, 'SampleCount'),
      // SageMaker counts microseconds.
      ...this.#edges.map((edge, index) => query(`within${index}`, latency, `TC(:${decimal(edge * 1e6)})`)),
    ];
  }
}

function minutesOf(
  arm: ArmName,
  found: ReadonlyMap<string, ReadonlyMap<number, number>>,
  edges: number,
): ReadonlyMap<number, Minute> {
  const of = (id: string) => found.get(`${arm}_${id}`) ?? new Map<number, number>();
  const [requests, errors, timed] = [of('requests'), of('errors'), of('timed')];
  const within = Array.from({ length: edges }, (_, index) => of(`within${index}`));
  // No count below any edge, not even nothing: the statistic is not there, and a histogram without it would call all requests slow.
  const told = within.some((values) => values.size > 0);
  return new Map(
    [...new Set([...requests.keys(), ...errors.keys(), ...timed.keys()])].map((at) => [
      at,
      {
        requests: requests.get(at) ?? 0,
        errors: errors.get(at) ?? 0,
        ...(told ? { timed: timed.get(at) ?? 0, within: within.map((values) => values.get(at) ?? 0) } : {}),
      },
    ]),
  );
}

/** Without an exponent, and without the last bits of a product. */
function decimal(value: number): string {
  return String(Number(value.toFixed(3)));
}

function nameOf({ variant, endpointConfig }: CloudWatchArm): string {
  return [variant, endpointConfig].flatMap((part) => (part === undefined ? [] : excerpt(part, 63))).join(' of ');
}

function sameArms(arm: CloudWatchArm): InputError {
  return new InputError({
    code: 'same-arms',
    message: 'the metrics of the canary and of the baseline are the same',
    found: nameOf(arm),
    fix: 'Name a variant for each; with mode guardrails, where variants have one name, the endpoint configuration of each (endpoint_config).',
  });
}

function partial(title: string, status: string, told: string | null | undefined): PeerError {
  return new PeerError({
    code: status === 'Forbidden' ? 'forbidden' : 'aws-away',
    message: `${title}: CloudWatch answers ${status}`,
    ...(told == null ? {} : { found: excerpt(told, 200) }),
    fix: status === 'Forbidden' ? 'Allow the role cloudwatch:GetMetricData.' : 'See the AWS Health Dashboard.',
  });
}
