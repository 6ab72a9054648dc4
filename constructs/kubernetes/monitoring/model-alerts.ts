import { Chart } from 'cdk8s';
import { Construct } from 'constructs';
import { type AbsentRule, type ServingRulesOptions, servingRules } from '../../dashboards/index.ts';
import { CustomResource } from '../crd/custom-resource.ts';
import { type PrometheusRuleSpec, prometheusRule } from '../crd/prometheus-operator.ts';
import { type Labels, labelsOf } from '../labels.ts';
import { Findings } from '../problem.ts';
import { type MonitoredServer, noMetrics } from './monitored-server.ts';

export interface ModelAlertsProps extends Omit<ServingRulesOptions, 'profile' | 'labels'> {
  /** The server, or the two sides of a canary: servers of one kind that serve one model. One set of rules is for all. */
  readonly targets: readonly [MonitoredServer, ...MonitoredServer[]];
  /** @default the first target's instance */
  readonly name?: string;
  /** By which the Prometheus finds it: kube-prometheus-stack wants `release: <its name>`. @default none */
  readonly labels?: Labels;
  /** Added to every alert, for who routes them: `{ team: 'risk' }`. @default none */
  readonly alertLabels?: Labels;
}

/** Recording and alerting rules for a model, as a PrometheusRule. */
export class ModelAlerts extends Construct {
  readonly rule: CustomResource<PrometheusRuleSpec>;
  /** Alerts that cannot be had from this server, and what to do instead. */
  readonly absent: readonly AbsentRule[];

  /** @throws ConstructError with everything that is wrong with the props */
  constructor(scope: Construct, id: string, props: ModelAlertsProps) {
    super(scope, id);
    const { targets, name, labels, alertLabels, selector, ...options } = props;
    const [first] = targets;
    const findings = new Findings(this, 'ModelAlerts');
    const profile = profileOf(targets, findings);
    findings.throwIfAny();
    const rules = servingRules({
      ...options,
      profile,
      selector: selector ?? selectorFor(targets, Chart.of(this).namespace),
      ...(alertLabels === undefined ? {} : { labels: alertLabels }),
    });
    this.absent = rules.absent;
    this.rule = new CustomResource(this, 'prometheus-rule', prometheusRule, {
      metadata: { name: name ?? first.identity.instance, labels: { ...labelsOf(first.identity), ...labels } },
      spec: { groups: rules.groups },
    });
  }
}

/** The one profile of all targets; adds a problem where there is none. */
export function profileOf(
  targets: readonly [MonitoredServer, ...MonitoredServer[]],
  findings: Findings,
): ServingRulesOptions['profile'] {
  const [first] = targets;
  for (const target of targets) if (target.metrics === undefined) findings.add(noMetrics(target));
  const profiles = new Set(targets.flatMap(({ metrics }) => (metrics?.profile === undefined ? [] : [metrics.profile])));
  const [profile] = profiles;
  findings.demand(first.metrics === undefined || profile !== undefined, () => ({
    code: 'no-profile',
    message: `nothing says what the metrics of ${first.identity.name} mean`,
    fix: 'Give the server a profile of core/telemetry (metrics.profile), "http" if its metrics are the usual ones of HTTP.',
  }));
  findings.demand(profiles.size <= 1, () => ({
    code: 'mixed-profiles',
    message: 'the targets are different servers, whose series have different names',
    found: [...profiles].join(', '),
    fix: 'Make one for each kind of server.',
  }));
  return profile ?? 'http';
}

/** Our server names the model in its series; of others, the installation is the target's job (`MetricsMonitor`). */
function selectorFor(
  targets: readonly [MonitoredServer, ...MonitoredServer[]],
  namespace: string | undefined,
): NonNullable<ServingRulesOptions['selector']> {
  const [first, ...others] = targets;
  const where = namespace === undefined ? {} : { namespace };
  if (first.metrics?.profile === 'sluice' && first.identity.model !== undefined)
    return { ...where, model: first.identity.model };
  const instances = [first, ...others].map(({ identity }) => identity.instance);
  return { ...where, labels: { job: others.length === 0 ? first.identity.instance : { anyOf: instances } } };
}
