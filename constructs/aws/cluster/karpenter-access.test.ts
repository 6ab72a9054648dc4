import { Match, Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { network } from '../fixtures/network.ts';
import { newStack } from '../fixtures/synthesized.ts';
import { ConstructError, GpuCluster, KarpenterAccess } from '../index.ts';

const stack = newStack();
const cluster = new GpuCluster(stack, 'Cluster', {
  clusterName: 'models',
  version: '1.34',
  vpc: network(stack),
  admins: ['arn:aws:iam::111122223333:role/admin'],
});
const karpenter = new KarpenterAccess(stack, 'Karpenter', { cluster });
const template = Template.fromStack(stack);

interface Statement {
  readonly Sid?: string;
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

const statements: readonly Statement[] = Object.values(template.findResources('AWS::IAM::Policy')).find(
  ({ Properties }) => JSON.stringify(Properties.Roles).includes('karpenter'),
)?.['Properties'].PolicyDocument.Statement;

const changes = (statement: Statement) =>
  [statement.Action]
    .flat()
    .some((action) => /^(?:ec2|iam):(?:Run|Create|Delete|Terminate|Tag|Add|Remove)/.test(action));

describe("Karpenter's controller", () => {
  test('is the pods of its service account', () => {
    template.hasResourceProperties('AWS::EKS::PodIdentityAssociation', {
      Namespace: 'kube-system',
      ServiceAccount: 'karpenter',
    });
  });

  test('changes nothing that does not bear the tag of the cluster', () => {
    const free = statements
      .filter(changes)
      .filter(({ Condition }) => !JSON.stringify(Condition ?? {}).includes('kubernetes.io/cluster/models'));
    // What an instance is started with bears no tag; the instance does.
    expect(free.map(({ Sid }) => Sid)).toEqual(['StartWhatIsThere']);
    expect(JSON.stringify(free)).not.toMatch(/:instance\/|:launch-template\//);
  });

  test('hands on one role, to EC2 alone', () => {
    expect(statements.filter(({ Action }) => Action === 'iam:PassRole')).toEqual([
      expect.objectContaining({
        Resource: { 'Fn::GetAtt': [expect.stringMatching(/^KarpenterNodeRole/), 'Arn'] },
        Condition: { StringEquals: { 'iam:PassedToService': 'ec2.amazonaws.com' } },
      }),
    ]);
  });
});

test('nodes of Karpenter are let into the cluster', () => {
  template.hasResourceProperties('AWS::EKS::AccessEntry', {
    Type: 'EC2_LINUX',
    PrincipalArn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^KarpenterNodeRole'), 'Arn'] },
  });
});

describe('interruptions', () => {
  test('of every kind come into one encrypted queue', () => {
    const rules = Object.values(template.findResources('AWS::Events::Rule'));
    expect(rules.flatMap(({ Properties }) => Properties.EventPattern['detail-type']).toSorted()).toEqual([
      'AWS Health Event',
      'EC2 Capacity Reservation Instance Interruption Warning',
      'EC2 Instance Rebalance Recommendation',
      'EC2 Instance State-change Notification',
      'EC2 Spot Instance Interruption Warning',
    ]);
    template.hasResourceProperties('AWS::SQS::Queue', {
      QueueName: 'models',
      SqsManagedSseEnabled: true,
      MessageRetentionPeriod: 300,
    });
    expect(karpenter.metricInterruptionAge().metricName).toBe('ApproximateAgeOfOldestMessage');
  });
});

test('props of the node pools in Kubernetes are known before deployment', () => {
  expect(karpenter.nodePool).toEqual({ cluster: 'models', role: 'models-karpenter-nodes' });
  expect(karpenter.settings).toEqual({ clusterName: 'models', interruptionQueue: 'models' });
  template.hasResourceProperties('AWS::IAM::Role', { RoleName: 'models-karpenter-nodes' });
});

test('props that IAM or Kubernetes would refuse are told', () => {
  try {
    new KarpenterAccess(stack, 'Wrong', {
      cluster,
      nodeRoleName: 'a role',
      controller: { namespace: 'Karpenter', serviceAccount: 'karpenter' },
    });
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(ConstructError);
    if (error instanceof ConstructError) {
      expect(error.problems.map(({ code }) => code)).toEqual(['bad-name', 'bad-role-name']);
    }
  }
});
