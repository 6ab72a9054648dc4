import * as z from 'zod';
import { type ApiHandlers, ApiStandIn } from '../aws/api-stand-in.ts';

const asked = z.looseObject({
  StartTime: z.number(),
  EndTime: z.number(),
  MetricDataQueries: z.array(
    z.looseObject({
      Id: z.string().regex(/^[a-z][a-zA-Z0-9_]*$/),
      MetricStat: z.looseObject({
        Metric: z.looseObject({
          Namespace: z.literal('AWS/SageMaker'),
          MetricName: z.string(),
          Dimensions: z.array(z.looseObject({ Name: z.string(), Value: z.string() })),
        }),
        Period: z.literal(60),
        Stat: z.string(),
      }),
    }),
  ),
});

/** For tests: what SageMaker tells CloudWatch, and what that answers. Time passes when something is sent. */
export class CloudWatchStandIn {
  /** By the metric's dimensions. */
  readonly #invocations: {
    readonly of: string;
    readonly at: number;
    readonly failed: boolean;
    readonly microseconds: number;
  }[] = [];
  now = Date.now() - 400_000;
  /** Points of an answer, then it goes on at the next page. */
  pageSize = Number.POSITIVE_INFINITY;
  /** As for metrics whose single values CloudWatch does not have. */
  withoutTrimmedCounts = false;
  statuses = new Map<string, string>();

  static of(endpoint: string, variant: string, configuration?: string): string {
    return JSON.stringify([endpoint, variant, configuration ?? null]);
  }

  async start(): Promise<ApiStandIn> {
    const aws = await ApiStandIn.start(this.handlers());
    aws.clock = () => this.now;
    return aws;
  }

  /** `milliseconds` of each, in turn. Afterwards the minute is over. */
  invoke(of: string, requests: number, failing = 0, milliseconds: readonly number[] = [20], at = this.now): void {
    for (let index = 0; index < requests; index++) {
      const microseconds = 1000 * (milliseconds[index % milliseconds.length] ?? 0);
      this.#invocations.push({ of, at, failed: index < failing, microseconds });
    }
    if (at === this.now) this.now = (Math.floor(this.now / 60_000) + 1) * 60_000 + 1000;
  }

  handlers(): ApiHandlers {
    return {
      'cloudwatch:GetMetricData': (input) => {
        const { StartTime, EndTime, MetricDataQueries } = asked.parse(input);
        const skip = Number(input['NextToken'] ?? 0);
        let points = 0;
        const results = MetricDataQueries.map(({ Id, MetricStat: { Metric, Stat } }) => {
          const dimension = (name: string) => Metric.Dimensions.find(({ Name }) => Name === name)?.Value;
          const of = CloudWatchStandIn.of(
            dimension('EndpointName') ?? '',
            dimension('VariantName') ?? '',
            dimension('EndpointConfigName'),
          );
          const byMinute = new Map<number, number[]>();
          for (const each of this.#invocations) {
            const start = Math.floor(each.at / 60_000) * 60;
            if (this.withoutTrimmedCounts && Stat.startsWith('TC')) continue;
            if (each.of !== of || start < StartTime || start >= EndTime) continue;
            const value =
              Metric.MetricName === 'ModelLatency'
                ? each.microseconds
                : Metric.MetricName === 'Invocations' || each.failed
                  ? 1
                  : 0;
            byMinute.set(start, [...(byMinute.get(start) ?? []), value]);
          }
          const wanted = [...byMinute]
            .toSorted(([one], [other]) => one - other)
            .filter(() => {
              const index = points++;
              return index >= skip && index < skip + this.pageSize;
            });
          return {
            Id,
            Label: Metric.MetricName,
            Timestamps: wanted.map(([start]) => start),
            Values: wanted.map(([, values]) => statistic(Stat, values)),
            StatusCode: this.statuses.get(Metric.MetricName) ?? 'Complete',
          };
        });
        const more = points > skip + this.pageSize;
        return { output: { MetricDataResults: results, ...(more ? { NextToken: String(skip + this.pageSize) } : {}) } };
      },
    };
  }
}

/** "CloudWatch statistics definitions": a trimmed count is of the values above the lower bound and not above the upper one. */
function statistic(name: string, values: readonly number[]): number {
  const [, lower, upper] = /^TC\(([\d.]*):([\d.]*)\)$/.exec(name) ?? [];
  if (lower !== undefined && upper !== undefined) {
    return values.filter((value) => (lower === '' || value > Number(lower)) && (upper === '' || value <= Number(upper)))
      .length;
  }
  if (name === 'Sum') return values.reduce((sum, value) => sum + value, 0);
  if (name === 'SampleCount') return values.length;
  throw new Error(`the stand-in has no statistic ${name}`);
}
