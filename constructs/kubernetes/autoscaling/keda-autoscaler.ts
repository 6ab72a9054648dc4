import { Duration } from 'cdk8s';
import { Construct } from 'constructs';
import {
  isNoQuery,
  latencyQuantile,
  meanQueueTime,
  type NoQuery,
  type Query,
  type QueryScope,
  requestRate,
  requestsQueued,
  type ServingProfileName,
  servingProfiles,
  targetLabels,
} from '../../../core/telemetry/index.ts';
import { CustomResource } from '../crd/custom-resource.ts';
import { type KedaTrigger, type ScaledObjectSpec, scaledObject } from '../crd/keda.ts';
import { checkServiceName } from '../labels.ts';
import { Findings } from '../problem.ts';
import type { ProgramDeployment } from '../serving/program-deployment.ts';
import { type KafkaGoal, kafkaTriggers } from './kafka-goal.ts';
import { checkAgainstBudget, scaledBounds } from './scaled-bounds.ts';
import { scalingBehavior } from './scaling-behavior.ts';

/** What there shall be no more of. */
export interface ScalingGoals {
  /** Requests that wait, for each pod. */
  readonly queued?: number;
  /** Mean time a request waits. */
  readonly queueTime?: Duration;
  /** 95th percentile of the time a request takes. */
  readonly p95?: Duration;
  /** Requests a second, for each pod. */
  readonly requestsPerSecond?: number;
  /** Messages of a Kafka topic that wait, for each pod: for a server that reads its requests from there. Needs no Prometheus. */
  readonly kafka?: KafkaGoal;
}

export interface KedaAutoscalerProps {
  /** Has bounds as its replicas; a min of 0 needs `profile: 'istio'` or `goals.kafka`. */
  readonly target: ProgramDeployment;
  /** Prometheus' address, as KEDA reaches it: `http://prometheus.monitoring:9090`. Every goal but `kafka` needs it. @default none */
  readonly prometheus?: string;
  readonly goals: ScalingGoals;
  /**
   * Whose metrics are asked.
   * @default the server's own
   */
  readonly profile?: ServingProfileName;
  /**
   * What a rate is taken over: at least four scrapes.
   * @default 2 minutes
   */
  readonly window?: Duration;
  /** Between two scrapes of the server: `scrape.interval` of its monitor. @default 30 seconds */
  readonly scrapeInterval?: Duration;
  /** Between two questions. @default 15 seconds */
  readonly every?: Duration;
  /** How long there must be too many pods before one goes. @default 5 minutes */
  readonly quiet?: Duration;
  /** Name of a TriggerAuthentication for Prometheus. @default none */
  readonly authentication?: string;
}

/**
 * Scales a model server on what its requests go through, with KEDA. The questions come from `core/telemetry`: they name metrics that this
 * server has, and each gives one number, which KEDA's scaler demands.
 */
export class KedaAutoscaler extends Construct {
  readonly scaledObject: CustomResource<ScaledObjectSpec>;

  /** @throws ConstructError */
  constructor(scope: Construct, id: string, props: KedaAutoscalerProps) {
    super(scope, id);
    const { target, every = Duration.seconds(15), quiet = Duration.minutes(5) } = props;
    const findings = new Findings(this, 'KedaAutoscaler');
    checkServiceName(id, findings);
    const { min, max, target: scaleTargetRef } = scaledBounds(target, findings);
    if (min > 0) checkAgainstBudget(target, min, findings);
    const triggers = [...measuredTriggers(props, findings), ...kafkaTriggers(props.goals.kafka, max, findings)];
    findings.demand(
      Object.values(props.goals).some((goal) => goal !== undefined),
      () => ({
        code: 'no-goals',
        message: 'goals is empty, so nothing says when to scale',
        fix: 'Set goals.queued, queueTime, p95, requestsPerSecond or kafka.',
      }),
    );
    const profile = props.profile ?? target.metrics?.profile;
    findings.demand(min > 0 || profile === 'istio' || props.goals.kafka !== undefined, () => ({
      code: 'nobody-wakes-it',
      message: `replicas.min 0 of ${target.identity.instance}: without pods the server has no metrics, so nothing would ever start one`,
      fix: "Scale on the mesh in front of it (profile: 'istio'), or set replicas.min to 1.",
    }));
    findings.throwIfAny();
    this.scaledObject = new CustomResource(this, 'scaled-object', scaledObject, {
      metadata: { name: id, labels: { ...target.workload.metadata.toJson().labels } },
      spec: {
        scaleTargetRef,
        pollingInterval: Math.ceil(every.toSeconds({ integral: false })),
        cooldownPeriod: Math.ceil(quiet.toSeconds({ integral: false })),
        minReplicaCount: min,
        maxReplicaCount: max,
        // Without Prometheus nobody knows; in the middle is never far off. KEDA can only do so for averages.
        fallback: triggers.every(({ metricType }) => metricType === 'AverageValue')
          ? { failureThreshold: 3, replicas: Math.max(1, Math.ceil((min + max) / 2)) }
          : undefined,
        advanced: {
          horizontalPodAutoscalerConfig: { behavior: scalingBehavior(Math.ceil(quiet.toSeconds({ integral: false }))) },
        },
        triggers,
      },
    });
  }
}

/** For the goals that Prometheus knows of. */
function measuredTriggers(props: KedaAutoscalerProps, findings: Findings): readonly KedaTrigger[] {
  const { target, prometheus, window = Duration.minutes(2), authentication } = props;
  const { kafka: _kafka, ...goals } = props.goals;
  if (Object.values(goals).every((goal) => goal === undefined)) return [];
  const name = props.profile ?? target.metrics?.profile;
  if (name === undefined) {
    findings.add({
      code: 'no-metrics',
      message: `${target.identity.instance} has no metrics that are understood`,
      fix: "Scale on the mesh in front of it: profile: 'istio'.",
    });
    return [];
  }
  if (prometheus === undefined) {
    findings.add({
      code: 'no-prometheus',
      message: `nothing says where to ask for goals.${Object.keys(goals).join(', goals.')}`,
      fix: "Set prometheus to its address: 'http://prometheus.monitoring:9090'.",
    });
    return [];
  }
  const scrape = (props.scrapeInterval ?? Duration.seconds(30)).toSeconds({ integral: false });
  findings.demand(window.toSeconds({ integral: false }) >= 4 * scrape, () => ({
    code: 'window-too-short',
    message: `window ${window.toSeconds({ integral: false })} s holds fewer than four scrapes at ${scrape} s, so one that is late leaves no rate`,
    fix: `Raise window to ${4 * scrape} s, or set scrapeInterval to what the server is scraped at.`,
  }));
  const profile = servingProfiles[name];
  const namespace = target.workload.metadata.namespace;
  const { model, modelVersion, instance } = target.identity;
  const scope: QueryScope = {
    window: Math.ceil(window.toSeconds({ integral: false })),
    selector: {
      ...(profile.labels.model === undefined || model === undefined
        ? {}
        : { model: name === 'istio' ? instance : model }),
      ...(namespace === undefined ? {} : { namespace }),
      // Of the pods, as their monitor copies it: two versions of a model are scaled each for itself. A mesh has no pods' labels.
      ...(name === 'istio' || modelVersion === undefined ? {} : { labels: { [targetLabels.version]: modelVersion } }),
    },
  };
  const seconds = (duration: Duration): number => duration.toSeconds({ integral: false });
  const wanted: readonly (readonly [string, 'AverageValue' | 'Value', number, Query | NoQuery])[] = [
    ...(goals.queued === undefined
      ? []
      : [['queued', 'AverageValue', goals.queued, requestsQueued(profile, scope)] as const]),
    ...(goals.queueTime === undefined
      ? []
      : [['queueTime', 'Value', seconds(goals.queueTime), meanQueueTime(profile, scope)] as const]),
    ...(goals.p95 === undefined
      ? []
      : [['p95', 'Value', seconds(goals.p95), latencyQuantile(profile, 0.95, scope)] as const]),
    ...(goals.requestsPerSecond === undefined
      ? []
      : [['requestsPerSecond', 'AverageValue', goals.requestsPerSecond, requestRate(profile, scope)] as const]),
  ];
  return wanted.flatMap(([goal, metricType, threshold, query]) => {
    if (isNoQuery(query)) {
      findings.add({ code: 'no-such-metric', message: `goals.${goal}: ${query.reason}`, fix: query.fix });
      return [];
    }
    findings.demand(query.labels.length === 0, () => ({
      code: 'several-answers',
      message: `goals.${goal}: the question has an answer for each ${query.labels.join(', ')}, and KEDA takes one`,
      fix: 'Ask for one model.',
    }));
    findings.demand(threshold > 0, () => ({
      code: 'bad-goal',
      message: `goals.${goal} is not more than nothing`,
      found: String(threshold),
      fix: 'Correct it.',
    }));
    return [
      {
        type: 'prometheus',
        name: goal.toLowerCase(),
        metricType,
        metadata: {
          serverAddress: prometheus,
          query: query.expr,
          threshold: String(threshold),
          // One request is enough to wake a model that sleeps.
          activationThreshold: '0',
        },
        ...(authentication === undefined ? {} : { authenticationRef: { name: authentication } }),
      },
    ];
  });
}
