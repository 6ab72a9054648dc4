import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { type ConstructProblem, Findings } from '../../problem/index.ts';

export interface AlertTopicProps {
  /** Shown as the sender of mails and messages. At most 100 characters. @default the topic's name */
  readonly displayName?: string;
  /** Addresses that get a mail each; every one has to confirm it once. @default none: subscribe whoever pages with `topic.addSubscription` */
  readonly emails?: readonly string[];
  /** @default a key of its own, rotated every year: CloudWatch cannot write to a topic that SNS encrypts by AWS's key */
  readonly encryptionKey?: IKey;
}

/**
 * Where people hear of alerts: a topic encrypted by a key of its own, over TLS only, to which nobody may publish until `allow...` says so.
 *
 * ```ts
 * const pages = new AlertTopic(this, 'Pages', { emails: ['oncall@example.com'] });
 * new ReleaseAlarms(this, 'Alarms', { endpointName: 'churn', pages });
 * ```
 */
export class AlertTopic extends Construct {
  readonly topic: Topic;
  readonly encryptionKey: IKey;

  /** @throws ConstructError with everything that is wrong with the props */
  constructor(scope: Construct, id: string, props: AlertTopicProps = {}) {
    super(scope, id);
    const findings = new Findings(this, 'AlertTopic');
    findings.add(...problemsOf(props));
    findings.throwIfAny();
    const { displayName, emails = [], encryptionKey } = props;
    this.encryptionKey =
      encryptionKey ??
      new Key(this, 'Key', {
        enableKeyRotation: true,
        description: `Alerts of ${this.node.path}`,
        removalPolicy: RemovalPolicy.RETAIN,
      });
    this.topic = new Topic(this, 'Topic', {
      masterKey: this.encryptionKey,
      enforceSSL: true,
      ...(displayName === undefined ? {} : { displayName }),
    });
    for (const email of emails) this.topic.addSubscription(new EmailSubscription(email));
  }

  /** Lets CloudWatch's alarms of this account and region publish. Once, however often it is called. */
  allowAlarms(): void {
    const alarms = this.#arn('cloudwatch', 'alarm:*');
    this.#allow('Alarms', 'cloudwatch.amazonaws.com', alarms, alarms);
  }

  /** Lets the alert manager of a Managed Prometheus workspace publish. Of the key it may be any workspace's: the workspace names the topic, and the topic its key. */
  allowPrometheus(workspaceArn: string): void {
    this.#prometheus += 1;
    this.#allow(`Prometheus${this.#prometheus}`, 'aps.amazonaws.com', workspaceArn, this.#arn('aps', 'workspace/*'));
  }

  #prometheus = 0;
  readonly #allowed = new Set<string>();

  #allow(sid: string, service: string, publisher: string, keyUser: string): void {
    if (this.#allowed.has(sid)) return;
    this.#allowed.add(sid);
    const allowed = (actions: readonly string[], resource: string, source: string): PolicyStatement =>
      new PolicyStatement({
        sid,
        effect: Effect.ALLOW,
        principals: [new ServicePrincipal(service)],
        actions: [...actions],
        resources: [resource],
        conditions: {
          StringEquals: { 'aws:SourceAccount': Stack.of(this).account },
          ArnLike: { 'aws:SourceArn': source },
        },
      });
    this.topic.addToResourcePolicy(allowed(['sns:Publish'], this.topic.topicArn, publisher));
    // In a key's own policy, * is the key.
    this.encryptionKey.addToResourcePolicy(allowed(['kms:Decrypt', 'kms:GenerateDataKey'], '*', keyUser));
  }

  #arn(service: string, resource: string): string {
    const { partition, region, account } = Stack.of(this);
    return `arn:${partition}:${service}:${region}:${account}:${resource}`;
  }
}

function problemsOf({ displayName, emails = [] }: AlertTopicProps): readonly ConstructProblem[] {
  const problems: ConstructProblem[] = [];
  if (displayName !== undefined && displayName.length > 100)
    problems.push({
      code: 'bad-display-name',
      message: 'displayName is longer than SNS takes',
      found: `${displayName.length} characters`,
      expected: 'at most 100',
      fix: 'Shorten it.',
    });
  for (const email of emails.filter((each) => !/^[^\s@]+@[^\s@]+$/.test(each)))
    problems.push({
      code: 'bad-email',
      message: 'one of emails is no address',
      found: email,
      expected: 'name@example.com',
      fix: 'For other ways of being told use topic.addSubscription.',
    });
  return problems;
}
