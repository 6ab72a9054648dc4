import * as z from 'zod';
import { InputError, PeerError } from '../../core/problem/index.ts';
import { type CloudWatchMetric, sageMakerFleetDimension, sageMakerMetrics } from '../../core/telemetry/index.ts';
import { excerpt } from '../../core/text/index.ts';
import { AwsApi, type AwsPlace } from '../aws/aws-api.ts';
import type { MetricsSource, Reading } from '../metrics-source.ts';
import { ArmMinutes, type ArmName, arms, type FoundMinutes } from './arm-minutes.ts';
import { latencyEdges } from './latency-edges.ts';

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

class CloudWatch implements MetricsSource {
  readonly name = 'cloudwatch';
  readonly title: string;
  readonly #options: CloudWatchOptions;
  readonly #api: AwsApi;
  readonly #edges: readonly number[];
  readonly #minutes: ArmMinutes;

  constructor(options: CloudWatchOptions) {
    const { canary, baseline, edgesMs, endpointName } = options;
    if (canary.variant === baseline.variant && canary.endpointConfig === baseline.endpointConfig)
      throw sameArms(canary);
    this.#options = options;
    this.#api = new AwsApi('cloudwatch', options);
    this.#edges = latencyEdges(edgesMs);
    this.#minutes = new ArmMinutes(
      {
        now: () => this.#api.now,
        ask: (from, to, signal) => this.#ask(from, to, signal),
        remarks: {
          latency: (arm) => `CloudWatch counts no latency of the ${arm}: it is left out.`,
          requests: (arm) => `CloudWatch has no invocation of the ${arm} (${nameOf(options[arm])}) yet.`,
        },
      },
      { canary: nameOf(canary), baseline: nameOf(baseline) },
      this.#edges,
    );
    this.title = `CloudWatch metrics of the SageMaker endpoint ${excerpt(endpointName)}`;
  }

  read(signal?: AbortSignal): Promise<Reading> {
    return this.#minutes.read(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#api[Symbol.asyncDispose]();
  }

  /** The values of each query by the minute's beginning. */
  async #ask(from: number, to: number, signal: AbortSignal | undefined): Promise<FoundMinutes> {
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
