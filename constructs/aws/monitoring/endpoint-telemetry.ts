import { Duration, Token } from 'aws-cdk-lib';
import { type IMetric, MathExpression, type Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { type CloudWatchMetric, sageMakerMetrics } from '../../../core/telemetry/index.ts';
import type { ConstructProblem } from '../../problem/index.ts';
import { metricOf } from './metric-of.ts';

/** A SageMaker endpoint, as its metrics name it. */
export interface MonitoredEndpoint {
  readonly endpointName: string;
  /** Its production variants, the baseline first. @default ['AllTraffic'], as SageMaker's own tools name the only one */
  readonly variants?: readonly [string, ...string[]];
  /**
   * What it tells: an asynchronous one its queue and no invocations, a serverless one no instances.
   * @default 'real-time'
   */
  readonly kind?: EndpointKind;
  /**
   * The hardware of an instance: SageMaker adds the load of processors and of GPUs up, so that 400 % is all of four.
   * @default no shares of processor and GPU, only SageMaker's sums
   */
  readonly hardware?: EndpointHardware;
}

export type EndpointKind = 'real-time' | 'asynchronous' | 'serverless';

export interface EndpointHardware {
  /** Of one instance. */
  readonly vcpus: number;
  /** Of one instance. @default 0 */
  readonly gpus?: number;
}

/** A statistic over all variants or one, for a period. */
export interface Asked {
  readonly period: Duration;
  /** @default all of them together */
  readonly variant?: string;
  readonly label?: string;
}

/**
 * What is asked of an endpoint's metrics, by alarms and dashboards alike. Where nothing was asked of the endpoint its metrics have no values, and
 * neither have these: no share is ever a division by nothing.
 */
export class EndpointTelemetry {
  readonly variants: readonly [string, ...string[]];
  readonly kind: EndpointKind;
  readonly hardware: EndpointHardware | undefined;
  readonly #endpointName: string;

  constructor({ endpointName, variants = ['AllTraffic'], kind = 'real-time', hardware }: MonitoredEndpoint) {
    this.#endpointName = endpointName;
    this.variants = variants;
    this.kind = kind;
    this.hardware = hardware;
  }

  /** One of SageMaker's metrics of a variant, or of the endpoint where it has no variants. */
  of(metric: CloudWatchMetric, { variant, period, label }: Asked, statistic?: string): Metric {
    return metricOf(
      metric,
      { EndpointName: this.#endpointName, VariantName: variant ?? this.variants[0] },
      { period, ...(label === undefined ? {} : { label }), ...(statistic === undefined ? {} : { statistic }) },
    );
  }

  /** Requests that were answered one way or the other. Of an asynchronous endpoint those that ended: each says 0 or 1 of its errors. */
  requests(asked: Asked): IMetric {
    return this.#requests(asked).metric;
  }

  serverErrors(asked: Asked): IMetric {
    return this.#counted('errors', sageMakerMetrics.serverErrors, 'Sum', asked).metric;
  }

  clientErrors(asked: Asked): IMetric {
    return this.#counted('rejected', sageMakerMetrics.clientErrors, 'Sum', asked).metric;
  }

  /** Instances that tell of themselves, which those of an endpoint do every minute. None tells: no value. */
  instances(asked: Omit<Asked, 'period'>): IMetric {
    const { processor } = sageMakerMetrics;
    return this.#counted('instances', processor, 'SampleCount', { ...asked, period: Duration.minutes(1) }).metric;
  }

  /** Share of requests that failed by the server's fault, 0 to 1. */
  errorShare(asked: Asked, fewestBad?: number): IMetric {
    const errors = this.#counted('errors', sageMakerMetrics.serverErrors, 'Sum', asked);
    return this.#share(errors, this.#requests(asked), asked, fewestBad);
  }

  /** Share of the requests that the container answered, 0 to 1, for which it took longer than `seconds`: CloudWatch counts the values above. */
  slowShare(seconds: number, asked: Asked, fewestBad?: number): IMetric {
    const { latency } = sageMakerMetrics;
    const slow = this.#counted('slow', latency, `TC(${Number((seconds * 1e6).toFixed(3))}:)`, asked);
    return this.#share(slow, this.#counted('timed', latency, 'SampleCount', asked), asked, fewestBad);
  }

  /** Share of the requests that went to a variant, 0 to 1: the weight it really has. */
  weight(variant: string, { period, label }: Asked): IMetric {
    const one = this.#requests({ period, variant });
    return this.#share(one, this.#requests({ period }), { period, label: label ?? variant });
  }

  /** 1 where two variants or more have taken requests, else 0. */
  shared({ period, label }: Asked): IMetric {
    const [baseline, ...others] = this.variants.map((variant) => this.#requests({ period, variant }));
    const used = [baseline, ...others].flatMap((each) => (each === undefined ? [] : [each]));
    return new MathExpression({
      expression: `IF(${used.map(({ id }) => `(FILL(${id}, 0) > 0)`).join(' + ')} > 1, 1, 0)`,
      usingMetrics: Object.fromEntries(used.map(({ id, metric }) => [id, metric])),
      period,
      label: label ?? 'more than one variant takes requests',
    });
  }

  /** Share of an instance's memory or disk that is in use, 0 to 1, of the fullest instance. */
  full(metric: 'memory' | 'disk', asked: Asked): IMetric {
    return this.#used(metric, 1, asked, 'Maximum');
  }

  /** Share of the processors, GPUs or their memory that is in use, 0 to 1; `undefined` where nobody said how many an instance has. */
  busy(metric: 'processor' | 'gpu' | 'gpuMemory', asked: Asked): IMetric | undefined {
    const units = metric === 'processor' ? this.hardware?.vcpus : this.hardware?.gpus;
    if (units === undefined || units === 0) return undefined;
    return this.#used(metric, units, asked, metric === 'gpuMemory' ? 'Maximum' : 'Average');
  }

  #used(
    metric: 'memory' | 'disk' | 'processor' | 'gpu' | 'gpuMemory',
    units: number,
    asked: Asked,
    statistic: string,
  ): IMetric {
    const id = this.#id(metric, asked.variant);
    return new MathExpression({
      expression: `${id} / ${100 * units}`,
      usingMetrics: { [id]: this.of(sageMakerMetrics[metric], asked, statistic) },
      period: asked.period,
      label: asked.label ?? sageMakerMetrics[metric].name,
    });
  }

  #requests(asked: Asked): Identified {
    return this.kind === 'asynchronous'
      ? this.#counted('requests', sageMakerMetrics.serverErrors, 'SampleCount', asked)
      : this.#counted('requests', sageMakerMetrics.requests, 'Sum', asked);
  }

  /** Nought until `fewestBad` were bad. */
  #share(bad: Identified, all: Identified, { period, label }: Asked, fewestBad = 0): IMetric {
    // Where nothing was bad there may be no value; where there were no requests there is none, and no share either.
    const some = fewestBad === 0 ? '' : ` AND FILL(${bad.id}, 0) >= ${fewestBad}`;
    return new MathExpression({
      expression: `IF(${all.id} > 0${some}, FILL(${bad.id}, 0) / ${all.id}, 0)`,
      usingMetrics: { [bad.id]: bad.metric, [all.id]: all.metric },
      period,
      label: label ?? 'share of requests',
    });
  }

  /** Of one variant, or of all of them together. */
  #counted(word: string, metric: CloudWatchMetric, statistic: string, asked: Asked): Identified {
    const id = this.#id(word, asked.variant);
    if (asked.variant !== undefined || this.variants.length === 1)
      return { id, metric: this.of(metric, asked, statistic) };
    const { period, label } = asked;
    const each = this.variants.map((variant) => this.#counted(word, metric, statistic, { period, variant }));
    return {
      id,
      metric: new MathExpression({
        // SUM adds up those that have a value at a time; a + b has none where one of them has none.
        expression: `SUM([${each.map((one) => one.id).join(', ')}])`,
        usingMetrics: Object.fromEntries(each.map((one) => [one.id, one.metric])),
        period,
        label: label ?? metric.name,
      }),
    };
  }

  /** In metric math the same name has to mean the same within an alarm or a widget. */
  #id(word: string, variant: string | undefined): string {
    return variant === undefined ? word : `${word}${this.variants.indexOf(variant)}`;
  }
}

/** A metric, and what it is called in metric math. */
interface Identified {
  readonly id: string;
  readonly metric: IMetric;
}

/** What is wrong with an endpoint as it was named. */
export function endpointProblems({
  endpointName,
  variants,
  kind,
  hardware,
}: MonitoredEndpoint): readonly ConstructProblem[] {
  const problems: ConstructProblem[] = [];
  const name = /^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/;
  if (!Token.isUnresolved(endpointName) && !name.test(endpointName))
    problems.push({
      code: 'bad-endpoint-name',
      message: 'endpointName is no name of a SageMaker endpoint',
      found: endpointName,
      expected: 'at most 63 letters, digits and hyphens',
      fix: 'Give the name, not the ARN: endpoint.attrEndpointName.',
    });
  const [...named] = variants ?? [];
  if (variants !== undefined && named.length === 0)
    problems.push({
      code: 'no-variants',
      message: 'variants is empty, so there is nothing to look at',
      fix: 'Name the production variants, the baseline first, or leave it out for AllTraffic.',
    });
  for (const variant of named.filter((each) => !Token.isUnresolved(each) && !name.test(each)))
    problems.push({
      code: 'bad-variant-name',
      message: 'a name in variants is none that SageMaker takes',
      found: variant,
      expected: 'at most 63 letters, digits and hyphens',
      fix: 'Copy it from the endpoint configuration (VariantName).',
    });
  if (new Set(named).size < named.length)
    problems.push({
      code: 'same-variants',
      message: 'a variant is named twice, and would be counted twice',
      found: named.join(', '),
      fix: 'Name each once.',
    });
  if (hardware !== undefined && kind === 'serverless')
    problems.push({
      code: 'hardware-of-serverless',
      message: 'hardware is given for a serverless endpoint, which has no instances',
      fix: 'Leave hardware out.',
    });
  for (const [prop, value, least] of [
    ['hardware.vcpus', hardware?.vcpus, 1],
    ['hardware.gpus', hardware?.gpus, 0],
  ] as const)
    if (value !== undefined && !Token.isUnresolved(value) && (!Number.isInteger(value) || value < least))
      problems.push({
        code: 'bad-hardware',
        message: `${prop} is no number of them in an instance`,
        found: String(value),
        expected: `a whole number, at least ${least}`,
        fix: 'See the instance type: an ml.g5.12xlarge has 48 vCPUs and 4 GPUs.',
      });
  return problems;
}
