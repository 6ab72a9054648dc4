import { Duration, RemovalPolicy, Stack, Token } from 'aws-cdk-lib';
import { CfnRuleGroupsNamespace, CfnScraper, CfnWorkspace } from 'aws-cdk-lib/aws-aps';
import {
  Alarm,
  ComparisonOperator,
  type Metric,
  type MetricOptions,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { awsMetrics, type CloudWatchMetric } from '../../../core/telemetry/index.ts';
import { type AbsentRule, type ServingRulesOptions, servingRules } from '../../dashboards/index.ts';
import { type ConstructProblem, Findings } from '../../problem/index.ts';
import { type AlertReceiver, alertManager, alertManagerDefinition } from './alert-manager.ts';
import type { AlertTopic } from './alert-topic.ts';
import { EncryptedLogGroup } from './encrypted-log-group.ts';
import { metricOf } from './metric-of.ts';
import { ruleFile } from './rule-file.ts';
import { type ScrapedPods, scrapeConfiguration } from './scrape-configuration.ts';

export interface ManagedPrometheusProps {
  /** Shown in the console. At most 100 characters. @default none */
  readonly alias?: string;
  /** Can only be chosen as the workspace is made. @default a key of its own, rotated every year, kept when the stack goes */
  readonly encryptionKey?: IKey;
  /** How long samples are kept: whole days, up to 1095. @default 150 days */
  readonly retention?: Duration;
  /** The rules by the name of their namespace, one for each model: the groups that `ModelAlerts` gives a cluster. @default none */
  readonly rules?: Readonly<Record<string, ServingRulesOptions>>;
  /** Who is woken by `critical` alerts. @default nobody */
  readonly pages?: AlertTopic;
  /** Who hears of `warning` alerts. @default nobody */
  readonly notices?: AlertTopic;
}

/** The cluster that a managed scraper looks into. */
export interface ScrapedCluster {
  readonly clusterArn: string;
  /** Of the cluster's VPC, in two zones or more. */
  readonly subnetIds: readonly [string, string, ...string[]];
  /** @default the cluster's own */
  readonly securityGroupIds?: readonly string[];
  readonly pods: readonly [ScrapedPods, ...ScrapedPods[]];
}

/**
 * Amazon Managed Service for Prometheus for models: a workspace encrypted by a key, with the recording and alerting rules that a cluster has,
 * alerts handed over to SNS by severity, and a log of what rules and alerts could not do.
 *
 * ```ts
 * const prometheus = new ManagedPrometheus(this, 'Prometheus', {
 *   rules: { churn: { profile: 'triton', selector: { namespace: 'shop' }, gpu: {} } },
 *   pages,
 * });
 * prometheus.grantRemoteWrite(collectorRole);
 * ```
 */
export class ManagedPrometheus extends Construct {
  readonly workspace: CfnWorkspace;
  readonly encryptionKey: IKey;
  readonly log: EncryptedLogGroup;
  readonly ruleNamespaces: Readonly<Record<string, CfnRuleGroupsNamespace>>;
  /** Alerts that cannot be had from these servers, by namespace, and what to do instead. */
  readonly absent: Readonly<Record<string, readonly AbsentRule[]>>;

  /** @throws ConstructError with everything that is wrong with the props */
  constructor(scope: Construct, id: string, props: ManagedPrometheusProps = {}) {
    super(scope, id);
    const findings = new Findings(this, 'ManagedPrometheus');
    findings.add(...problemsOf(props));
    findings.throwIfAny();
    const { alias, retention = Duration.days(150), rules = {}, pages, notices } = props;
    this.encryptionKey =
      props.encryptionKey ??
      new Key(this, 'Key', {
        enableKeyRotation: true,
        description: `Metrics of ${this.node.path}`,
        removalPolicy: RemovalPolicy.RETAIN,
      });
    const { partition, region, account } = Stack.of(this);
    this.log = new EncryptedLogGroup(this, 'Log', {
      prefix: '/aws/vendedlogs/prometheus/',
      encryptionKey: this.encryptionKey,
      writer: {
        service: 'delivery.logs.amazonaws.com',
        sourceArn: `arn:${partition}:logs:${region}:${account}:*`,
      },
    });
    const receivers: readonly AlertReceiver[] = [
      ...(pages === undefined ? [] : [{ severity: 'critical' as const, topicArn: pages.topic.topicArn, again: '4h' }]),
      ...(notices === undefined
        ? []
        : [{ severity: 'warning' as const, topicArn: notices.topic.topicArn, again: '1d' }]),
    ];
    this.workspace = new CfnWorkspace(this, 'Workspace', {
      ...(alias === undefined ? {} : { alias }),
      kmsKeyArn: this.encryptionKey.keyArn,
      loggingConfiguration: { logGroupArn: `${this.log.arn}:*` },
      workspaceConfiguration: { retentionPeriodInDays: retention.toDays() },
      alertManagerDefinition: alertManagerDefinition(alertManager(receivers, region)),
    });
    // Metrics of a year are not made again.
    this.workspace.applyRemovalPolicy(RemovalPolicy.RETAIN);
    this.workspace.addResourceDependency(this.log.group);
    pages?.allowPrometheus(this.workspace.attrArn);
    notices?.allowPrometheus(this.workspace.attrArn);
    if (pages !== undefined) this.#tellOfLostAlerts(pages);
    const made = Object.entries(rules).map(([name, options]) => ({ name, ...servingRules(options) }));
    this.ruleNamespaces = Object.fromEntries(
      made.map(({ name, groups }) => [
        name,
        new CfnRuleGroupsNamespace(this, `Rules-${name}`, {
          name,
          workspace: this.workspace.attrArn,
          data: ruleFile(groups),
        }),
      ]),
    );
    this.absent = Object.fromEntries(made.map(({ name, absent }) => [name, absent]));
  }

  /** Where collectors write to, with requests signed for the service `aps`. */
  get remoteWriteUrl(): string {
    return `${this.workspace.attrPrometheusEndpoint}api/v1/remote_write`;
  }

  /** Lets write samples, and no more. */
  grantRemoteWrite(grantee: IGrantable): Grant {
    return this.#grant(grantee, ['aps:RemoteWrite']);
  }

  /** Lets ask for series, as Grafana and a canary do. */
  grantQuery(grantee: IGrantable): Grant {
    return this.#grant(grantee, ['aps:QueryMetrics', 'aps:GetSeries', 'aps:GetLabels', 'aps:GetMetricMetadata']);
  }

  /** A metric of the workspace's own, such as `awsMetrics.notificationsFailed`. */
  metric(metric: CloudWatchMetric, options: MetricOptions = {}): Metric {
    return metricOf(metric, { Workspace: this.workspace.attrWorkspaceId }, options);
  }

  /** Alerts that could not be handed over to SNS. */
  metricNotificationsFailed(options: MetricOptions = {}): Metric {
    return this.metric(awsMetrics.notificationsFailed, options);
  }

  /**
   * Has AWS scrape pods of an EKS cluster into the workspace, without a collector in the cluster. The cluster has to let the scraper in: AWS
   * makes an access entry for its role where the cluster's authentication mode has the API.
   *
   * @throws ConstructError with everything that is wrong with the cluster as it was named
   */
  scrape(id: string, { clusterArn, subnetIds, securityGroupIds, pods }: ScrapedCluster): CfnScraper {
    const findings = new Findings(this, 'ManagedPrometheus');
    findings.add(...scrapeProblems({ clusterArn, subnetIds, pods }));
    findings.throwIfAny();
    return new CfnScraper(this, id, {
      scrapeConfiguration: { configurationBlob: Buffer.from(scrapeConfiguration(pods)).toString('base64') },
      source: {
        eksConfiguration: {
          clusterArn,
          subnetIds: [...subnetIds],
          ...(securityGroupIds === undefined ? {} : { securityGroupIds: [...securityGroupIds] }),
        },
      },
      destination: { ampConfiguration: { workspaceArn: this.workspace.attrArn } },
    });
  }

  #grant(grantee: IGrantable, actions: readonly string[]): Grant {
    return Grant.addToPrincipal({ grantee, actions: [...actions], resourceArns: [this.workspace.attrArn] });
  }

  /** By CloudWatch, which is another way to the same people. */
  #tellOfLostAlerts(pages: AlertTopic): void {
    pages.allowAlarms();
    new Alarm(this, 'AlertsLost', {
      alarmDescription:
        'Managed Prometheus could not hand alerts over to SNS: nobody hears of them. See its log group for why, mostly the policy of the topic or of its key.',
      metric: this.metricNotificationsFailed({ period: Duration.minutes(5) }),
      threshold: 0,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: 1,
      // It tells only of what failed.
      treatMissingData: TreatMissingData.NOT_BREACHING,
    }).addAlarmAction(new SnsAction(pages.topic));
  }
}

function problemsOf({ alias, retention, rules = {} }: ManagedPrometheusProps): readonly ConstructProblem[] {
  const problems: ConstructProblem[] = [];
  if (alias !== undefined && !Token.isUnresolved(alias) && (alias.trim() === '' || alias.length > 100))
    problems.push({
      code: 'bad-alias',
      message: 'alias is none that Managed Prometheus takes',
      found: alias.trim() === '' ? 'nothing' : `${alias.length} characters`,
      expected: 'from 1 to 100 characters',
      fix: 'Change it, or leave it out.',
    });
  const days = retention?.toDays({ integral: false });
  if (days !== undefined && !Token.isUnresolved(days) && (!Number.isInteger(days) || days < 1 || days > 1095))
    problems.push({
      code: 'bad-retention',
      message: 'retention is none that Managed Prometheus takes',
      found: retention?.toHumanString() ?? '',
      expected: 'whole days, from 1 to 1095',
      fix: 'Leave it out for 150 days.',
    });
  for (const name of Object.keys(rules).filter((each) => !/^[0-9A-Za-z][-.\w]{0,127}$/.test(each)))
    problems.push({
      code: 'bad-namespace',
      message: 'a name in rules is no name of a namespace of rules',
      found: name,
      expected: 'at most 128 letters, digits, "-", "." and "_", a letter or digit first',
      fix: "Name it for the model: { churn: { profile: 'triton' } }.",
    });
  return problems;
}

function scrapeProblems({
  clusterArn,
  subnetIds,
  pods,
}: Pick<ScrapedCluster, 'clusterArn' | 'subnetIds' | 'pods'>): readonly ConstructProblem[] {
  const problems: ConstructProblem[] = [];
  if (!Token.isUnresolved(clusterArn) && !/^arn:aws[a-z-]*:eks:[a-z0-9-]+:\d{12}:cluster\/\S+$/.test(clusterArn))
    problems.push({
      code: 'bad-arn',
      message: 'clusterArn is no ARN of an EKS cluster',
      found: clusterArn,
      expected: 'arn:aws:eks:region:account:cluster/name',
      fix: 'Copy it from the cluster: cluster.attrArn.',
    });
  const [...subnets] = subnetIds;
  if (!Token.isUnresolved(subnetIds) && subnets.length < 2)
    problems.push({
      code: 'few-subnets',
      message: 'subnetIds has fewer subnets than a scraper needs',
      found: String(subnets.length),
      expected: 'two or more, in different zones',
      fix: 'Give the private subnets of the cluster.',
    });
  const [...scraped] = pods;
  if (scraped.length === 0)
    problems.push({
      code: 'no-pods',
      message: 'pods is empty, so there is nothing to scrape',
      fix: "Name the installations: [{ instance: 'churn' }].",
    });
  const jobs = scraped.map(({ namespace = '', instance }) => `${namespace}/${instance}`);
  if (new Set(jobs).size < jobs.length)
    problems.push({
      code: 'same-pods',
      message: 'an installation is named twice in pods, which Prometheus refuses',
      found: jobs.join(', '),
      fix: 'Name each once; where a pod shows metrics at two ports, name the one that has them.',
    });
  return problems;
}
