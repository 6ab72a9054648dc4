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
    const { partition, region, account } = Stack.of(this);
    this.#allow('Alarms', 'cloudwatch.amazonaws.com', `arn:${partition}:cloudwatch:${region}:${account}:alarm:*`);
  }

  /** Lets the alert manager of one Managed Prometheus workspace publish. `id`: of the permission, other for each workspace. */
  allowPrometheus(workspaceArn: string, id: string): void {
    this.#allow(id, 'aps.amazonaws.com', workspaceArn);
  }

  #allow(id: string, service: string, sourceArn: string): void {
    const conditions = {
      StringEquals: { 'aws:SourceAccount': Stack.of(this).account },
      ArnLike: { 'aws:SourceArn': sourceArn },
    };
    const statement = (actions: readonly string[], resources: readonly string[]): PolicyStatement =>
      new PolicyStatement({
        sid: id,
        effect: Effect.ALLOW,
        principals: [new ServicePrincipal(service)],
        actions: [...actions],
        resources: [...resources],
        conditions,
      });
    if (this.#allowed.has(id)) return;
    this.#allowed.add(id);
    this.topic.addToResourcePolicy(statement(['sns:Publish'], [this.topic.topicArn]));
    // In a key's own policy, * is the key.
    this.encryptionKey.addToResourcePolicy(statement(['kms:Decrypt', 'kms:GenerateDataKey'], ['*']));
  }

  readonly #allowed = new Set<string>();
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
