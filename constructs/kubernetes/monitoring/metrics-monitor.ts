import { Duration } from 'cdk8s';
import { Construct } from 'constructs';
import { CustomResource } from '../crd/custom-resource.ts';
import { type MonitorEndpoint, podMonitor, type Relabeling, serviceMonitor } from '../crd/prometheus-operator.ts';
import type { KubernetesObject } from '../kubernetes-object.ts';
import { type Labels, labelNames, labelsOf, selectorOf } from '../labels.ts';
import { Findings } from '../problem.ts';
import { type MonitoredServer, noMetrics } from './monitored-server.ts';

export interface ScrapeProps {
  /** Between two looks. At most 75 s: alerts look at five minutes, and a rate wants four samples. @default 30 s */
  readonly interval?: Duration;
  /** How long an answer may take. @default 10 s, or the interval where that is shorter */
  readonly timeout?: Duration;
  /** Samples in one answer beyond which it is refused: a label somebody made up must not fill Prometheus. @default 20000 */
  readonly sampleLimit?: number;
  /** By which the Prometheus finds it: kube-prometheus-stack wants `release: <its name>`. @default none */
  readonly labels?: Labels;
}

export interface MetricsMonitorProps extends ScrapeProps {
  readonly target: MonitoredServer;
  /**
   * Through the pods, or through their Service. Pods are found without one, and also when a Service leaves their metrics' port out.
   * @default 'pods'
   */
  readonly through?: 'pods' | 'service';
}

/**
 * Has the Prometheus operator scrape a model server: a PodMonitor or a ServiceMonitor. The pods' version becomes a label of all their series, by
 * which rules and dashboards tell a canary from its baseline; `job` is the name of the installation.
 */
export class MetricsMonitor extends Construct {
  readonly monitor: KubernetesObject<object>;

  /** @throws ConstructError with everything that is wrong with the props */
  constructor(scope: Construct, id: string, props: MetricsMonitorProps) {
    super(scope, id);
    const { target, through = 'pods' } = props;
    const findings = new Findings(this, 'MetricsMonitor');
    if (target.metrics === undefined) findings.add(noMetrics(target));
    findings.demand(through === 'pods' || typeof target.metrics?.port !== 'number', () => ({
      code: 'no-service-port',
      message: `the Service of ${target.identity.instance} is its controller's, and has no port for metrics`,
      fix: "Scrape the pods: leave through out, or set it to 'pods'.",
    }));
    const scrape = scrapeTimes(props, findings);
    findings.throwIfAny();
    const { port = '', container = '', path = '' } = target.metrics ?? {};
    const metadata = { name: target.identity.instance, labels: { ...labelsOf(target.identity), ...props.labels } };
    const common = {
      selector: { matchLabels: target.podLabels ?? selectorOf(target.identity) },
      jobLabel: labelNames.instance,
      podTargetLabels: [labelNames.modelVersion],
      sampleLimit: props.sampleLimit ?? 20_000,
    };
    const endpoint = (found: Pick<MonitorEndpoint, 'port' | 'targetPort' | 'relabelings'>): MonitorEndpoint => ({
      ...found,
      path,
      ...scrape,
    });
    this.monitor =
      through === 'pods'
        ? new CustomResource(this, 'pod-monitor', podMonitor, {
            metadata,
            spec: {
              ...common,
              podMetricsEndpoints: [
                endpoint(typeof port === 'number' ? { relabelings: atNumber(container, port) } : { port }),
              ],
            },
          })
        : new CustomResource(this, 'service-monitor', serviceMonitor, {
            metadata,
            spec: { ...common, endpoints: [endpoint({ targetPort: `${port}` })] },
          });
  }
}

/**
 * Scrapes a port that the pods don't declare. Without a port's name the operator keeps every port of every container as a target, and a container
 * without ports as one, too (prometheus-operator: pkg/prometheus/promcfg.go, generatePodMonitorConfig): those of one container, all led to one
 * address, are one target.
 */
function atNumber(container: string, port: number): readonly Relabeling[] {
  const address = {
    action: 'replace',
    sourceLabels: ['__meta_kubernetes_pod_ip'],
    targetLabel: '__address__',
  } as const;
  return [
    { action: 'keep', sourceLabels: ['__meta_kubernetes_pod_container_name'], regex: container },
    { ...address, regex: '([0-9.]+)', replacement: `$1:${port}` },
    // IPv6
    { ...address, regex: '(.*:.*)', replacement: `[$1]:${port}` },
  ];
}

/** Interval and timeout as the operator writes them; adds a problem where they don't go together. */
export function scrapeTimes(
  props: ScrapeProps,
  findings: Findings,
): { readonly interval: string; readonly scrapeTimeout: string } {
  const interval = (props.interval ?? Duration.seconds(30)).toSeconds();
  const timeout = props.timeout?.toSeconds() ?? Math.min(10, interval);
  findings.demand(timeout <= interval, () => ({
    code: 'timeout-over-interval',
    message: `the timeout of a scrape (${timeout} s) is longer than the interval (${interval} s), which Prometheus refuses`,
    fix: `Lower timeout to at most ${interval} s, or raise interval.`,
  }));
  findings.demand(interval <= 75, () => ({
    code: 'interval-too-long',
    message: `with ${interval} s between scrapes, the five minutes that alerts look at hold fewer than four samples`,
    found: `${interval} s`,
    expected: 'at most 75 s',
    fix: 'Lower interval; 30 s is usual.',
  }));
  return { interval: `${interval}s`, scrapeTimeout: `${timeout}s` };
}
