import { Duration, Stack } from 'aws-cdk-lib';
import type { Metric, MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import { CfnAccessEntry } from 'aws-cdk-lib/aws-eks';
import { type EventPattern, Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { type PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { EVENTS_TARGET_QUEUE_SAME_ACCOUNT } from 'aws-cdk-lib/cx-api';
import { Construct } from 'constructs';
import { Findings } from '../../problem/index.ts';
import { allowance } from '../identity/allowance.ts';
import { podIdentityProblems } from './cluster-problems.ts';
import { type GpuCluster, nodePolicies } from './gpu-cluster.ts';
import type { PodIdentity } from './pod-role.ts';

export interface KarpenterAccessProps {
  readonly cluster: GpuCluster;
  /** Where Karpenter's controller runs. @default 'kube-system' and 'karpenter', as its chart has them */
  readonly controller?: PodIdentity;
  /** Of the nodes' role: the Kubernetes constructs ask for it by name. @default the cluster's name and `-karpenter-nodes` */
  readonly nodeRoleName?: string;
}

/** Events of EC2 and AWS Health that tell of a node that is to go. */
const interruptions: readonly (readonly [string, EventPattern])[] = [
  ['SpotInterruption', { source: ['aws.ec2'], detailType: ['EC2 Spot Instance Interruption Warning'] }],
  ['Rebalance', { source: ['aws.ec2'], detailType: ['EC2 Instance Rebalance Recommendation'] }],
  ['StateChange', { source: ['aws.ec2'], detailType: ['EC2 Instance State-change Notification'] }],
  [
    'ReservationInterruption',
    { source: ['aws.ec2'], detailType: ['EC2 Capacity Reservation Instance Interruption Warning'] },
  ],
  ['Health', { source: ['aws.health'], detailType: ['AWS Health Event'] }],
];

/**
 * What Karpenter needs of the account: a role for its controller by pod identity, which can start, tag and end only what bears the cluster's tag; a
 * role for its nodes, let into the cluster; and a queue that tells of spot interruptions two minutes ahead. Karpenter itself comes by its chart, and
 * the GPUs by the Kubernetes constructs' `GpuNodePool`:
 *
 * ```ts
 * const karpenter = new KarpenterAccess(this, 'Karpenter', { cluster });
 * // helm install karpenter oci://public.ecr.aws/karpenter/karpenter -n kube-system --set settings.clusterName=... (karpenter.settings)
 * new GpuNodePool(chart, 'l4', { ...karpenter.nodePool, gpus: ['l4'], maxGpus: 8, amiVersion: 'v20261101' });
 * ```
 *
 * The rights are those of https://karpenter.sh/docs/reference/cloudformation/ (release 1.14), without zonal shift.
 */
export class KarpenterAccess extends Construct {
  readonly controllerRole: Role;
  readonly nodeRole: Role;
  readonly interruptionQueue: Queue;
  readonly accessEntry: CfnAccessEntry;
  /** Props of the Kubernetes constructs' `GpuNodePool`, known before deployment. */
  readonly nodePool: { readonly cluster: string; readonly role: string };
  /** Values of Karpenter's chart: `settings`. */
  readonly settings: { readonly clusterName: string; readonly interruptionQueue: string };

  /** @throws ConstructError with everything that is wrong with the props */
  constructor(scope: Construct, id: string, props: KarpenterAccessProps) {
    super(scope, id);
    const { cluster, controller = { namespace: 'kube-system', serviceAccount: 'karpenter' } } = props;
    const { clusterName } = cluster;
    const nodeRoleName = props.nodeRoleName ?? `${clusterName}-karpenter-nodes`;
    const findings = new Findings(this, 'KarpenterAccess');
    findings.add(...podIdentityProblems(controller));
    findings.demand(/^[\w+=,.@-]{1,64}$/.test(nodeRoleName), () => ({
      code: 'bad-role-name',
      message: 'nodeRoleName is none that IAM takes and that is known before deployment',
      found: nodeRoleName,
      expected: 'up to 64 letters, digits and +=,.@_-',
      fix: 'Write it out, or leave it out.',
    }));
    findings.throwIfAny();
    // Events of the own account alone get at the queue.
    this.node.setContext(EVENTS_TARGET_QUEUE_SAME_ACCOUNT, true);
    this.nodeRole = new Role(this, 'NodeRole', {
      roleName: nodeRoleName,
      assumedBy: new ServicePrincipal('ec2.amazonaws.com'),
      description: `Nodes that Karpenter brings to ${clusterName}`,
      managedPolicies: nodePolicies(),
    });
    this.accessEntry = new CfnAccessEntry(this, 'NodeAccess', {
      clusterName: cluster.cluster.ref,
      principalArn: this.nodeRole.roleArn,
      type: 'EC2_LINUX',
    });
    this.interruptionQueue = new Queue(this, 'Interruptions', {
      queueName: clusterName,
      // What is older is of a node that is gone.
      retentionPeriod: Duration.minutes(5),
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
    });
    for (const [name, eventPattern] of interruptions) {
      new Rule(this, name, { eventPattern, targets: [new SqsQueue(this.interruptionQueue)] });
    }
    this.controllerRole = cluster.podRole(controller);
    for (const statement of this.#statements(cluster)) this.controllerRole.addToPolicy(statement);
    this.nodePool = { cluster: clusterName, role: nodeRoleName };
    this.settings = { clusterName, interruptionQueue: clusterName };
  }

  /** How long the oldest interruption waits: with Karpenter at work, next to nothing. */
  metricInterruptionAge(options: MetricOptions = {}): Metric {
    return this.interruptionQueue.metricApproximateAgeOfOldestMessage(options);
  }

  #statements({ clusterName, clusterArn }: GpuCluster): readonly PolicyStatement[] {
    const { partition, region, account } = Stack.of(this);
    const ec2 = (...kinds: readonly string[]) => kinds.map((kind) => `arn:${partition}:ec2:${region}:*:${kind}/*`);
    const profiles = `arn:${partition}:iam::${account}:instance-profile/*`;
    const owned = `kubernetes.io/cluster/${clusterName}`;
    const made = ec2('fleet', 'instance', 'volume', 'network-interface', 'launch-template', 'spot-instances-request');
    const asked = {
      StringEquals: { [`aws:RequestTag/${owned}`]: 'owned', 'aws:RequestTag/eks:eks-cluster-name': clusterName },
      StringLike: { 'aws:RequestTag/karpenter.sh/nodepool': '*' },
    };
    const bearing = {
      StringEquals: { [`aws:ResourceTag/${owned}`]: 'owned' },
      StringLike: { 'aws:ResourceTag/karpenter.sh/nodepool': '*' },
    };
    const ofRegion = 'topology.kubernetes.io/region';
    const ofClass = 'karpenter.k8s.aws/ec2nodeclass';
    const profileAsked = {
      [`aws:RequestTag/${owned}`]: 'owned',
      'aws:RequestTag/eks:eks-cluster-name': clusterName,
      [`aws:RequestTag/${ofRegion}`]: region,
    };
    const profileBearing = { [`aws:ResourceTag/${owned}`]: 'owned', [`aws:ResourceTag/${ofRegion}`]: region };
    const allow = (
      sid: string,
      actions: readonly string[],
      resources: readonly string[],
      conditions?: Readonly<Record<string, unknown>>,
    ) => allowance(actions, resources, conditions, sid);
    return [
      allow(
        'StartWhatIsThere',
        ['ec2:RunInstances', 'ec2:CreateFleet'],
        [
          `arn:${partition}:ec2:${region}::image/*`,
          `arn:${partition}:ec2:${region}::snapshot/*`,
          ...ec2('security-group', 'subnet', 'capacity-reservation', 'placement-group'),
        ],
      ),
      allow('StartByOwnTemplates', ['ec2:RunInstances', 'ec2:CreateFleet'], ec2('launch-template'), bearing),
      allow('StartTagged', ['ec2:RunInstances', 'ec2:CreateFleet', 'ec2:CreateLaunchTemplate'], made, asked),
      allow('TagWhatIsStarted', ['ec2:CreateTags'], made, {
        ...asked,
        StringEquals: {
          ...asked.StringEquals,
          'ec2:CreateAction': ['RunInstances', 'CreateFleet', 'CreateLaunchTemplate'],
        },
      }),
      allow('TagOwnInstances', ['ec2:CreateTags'], ec2('instance'), {
        ...bearing,
        StringEqualsIfExists: { 'aws:RequestTag/eks:eks-cluster-name': clusterName },
        'ForAllValues:StringEquals': {
          'aws:TagKeys': ['eks:eks-cluster-name', 'karpenter.sh/nodeclaim', 'Name'],
        },
      }),
      allow(
        'EndOwn',
        ['ec2:TerminateInstances', 'ec2:DeleteLaunchTemplate'],
        ec2('instance', 'launch-template'),
        bearing,
      ),
      allow(
        'LookAround',
        [
          'ec2:DescribeCapacityReservations',
          'ec2:DescribeImages',
          'ec2:DescribeInstances',
          'ec2:DescribeInstanceStatus',
          'ec2:DescribeInstanceTypeOfferings',
          'ec2:DescribeInstanceTypes',
          'ec2:DescribeLaunchTemplates',
          'ec2:DescribePlacementGroups',
          'ec2:DescribeSecurityGroups',
          'ec2:DescribeSpotPriceHistory',
          'ec2:DescribeSubnets',
        ],
        ['*'],
        { StringEquals: { 'aws:RequestedRegion': region } },
      ),
      allow('KnowImages', ['ssm:GetParameter'], [`arn:${partition}:ssm:${region}::parameter/aws/service/*`]),
      allow('KnowPricesAndProfiles', ['pricing:GetProducts', 'iam:ListInstanceProfiles'], ['*']),
      allow('HandOnTheNodesRole', ['iam:PassRole'], [this.nodeRole.roleArn], {
        StringEquals: { 'iam:PassedToService': 'ec2.amazonaws.com' },
      }),
      allow('MakeProfiles', ['iam:CreateInstanceProfile'], [profiles], {
        StringEquals: profileAsked,
        StringLike: { [`aws:RequestTag/${ofClass}`]: '*' },
      }),
      allow('TagOwnProfiles', ['iam:TagInstanceProfile'], [profiles], {
        StringEquals: { ...profileBearing, ...profileAsked },
        StringLike: { [`aws:ResourceTag/${ofClass}`]: '*', [`aws:RequestTag/${ofClass}`]: '*' },
      }),
      allow(
        'ChangeOwnProfiles',
        ['iam:AddRoleToInstanceProfile', 'iam:RemoveRoleFromInstanceProfile', 'iam:DeleteInstanceProfile'],
        [profiles],
        { StringEquals: profileBearing, StringLike: { [`aws:ResourceTag/${ofClass}`]: '*' } },
      ),
      allow('SeeProfiles', ['iam:GetInstanceProfile'], [profiles]),
      allow('FindTheCluster', ['eks:DescribeCluster'], [clusterArn]),
      allow(
        'HearOfInterruptions',
        ['sqs:DeleteMessage', 'sqs:GetQueueUrl', 'sqs:ReceiveMessage'],
        [this.interruptionQueue.queueArn],
      ),
    ];
  }
}
