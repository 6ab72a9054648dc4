import { Match, Template } from 'aws-cdk-lib/assertions';
import { Peer, Port, SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LayerVersion } from 'aws-cdk-lib/aws-lambda';
import { describe, expect, test } from 'vitest';
import { network } from '../fixtures/network.ts';
import { newStack } from '../fixtures/synthesized.ts';
import { ConstructError, GpuCluster, type GpuClusterProps, ModelBucket } from '../index.ts';

const stack = newStack();
const cluster = new GpuCluster(stack, 'Cluster', {
  clusterName: 'models',
  version: '1.34',
  vpc: network(stack),
  admins: ['arn:aws:iam::111122223333:role/admin'],
  addOns: [{ name: 'metrics-server' }],
  addOnVersions: { coredns: 'v1.12.4-eksbuild.1' },
});
const role = new Role(stack, 'Deploy', { assumedBy: new ServicePrincipal('codebuild.amazonaws.com') });
const models = new ModelBucket(stack, 'Models');
cluster.grantModelRead(models, { namespace: 'shop', serviceAccount: 'ranker' }, 'ranker/*');
cluster.grantModelRead(models, { namespace: 'shop', serviceAccount: 'ranker' }, 'shared/*');
cluster.grantAccess(role, 'edit', ['shop']);
cluster.grantAccess(role, 'view');
cluster.connections.allowDefaultPortFrom(Peer.ipv4('10.1.0.0/16'), 'Bastion');
const template = Template.fromStack(stack);

function problems(change: Partial<GpuClusterProps>): readonly string[] {
  const other = newStack();
  try {
    new GpuCluster(other, 'Cluster', {
      clusterName: 'models',
      version: '1.34',
      vpc: network(other),
      admins: ['arn:aws:iam::111122223333:role/admin'],
      ...change,
    });
  } catch (error) {
    if (error instanceof ConstructError) return error.problems.map(({ code }) => code);
    throw error;
  }
  return [];
}

describe('the control plane', () => {
  test('is reached from the VPC alone, encrypts secrets, and logs everything', () => {
    template.hasResourceProperties('AWS::EKS::Cluster', {
      Name: 'models',
      Version: '1.34',
      ResourcesVpcConfig: { EndpointPrivateAccess: true, EndpointPublicAccess: false },
      EncryptionConfig: [{ Provider: { KeyArn: Match.anyValue() }, Resources: ['secrets'] }],
      Logging: {
        ClusterLogging: {
          EnabledTypes: ['api', 'audit', 'authenticator', 'controllerManager', 'scheduler'].map((Type) => ({ Type })),
        },
      },
      AccessConfig: { AuthenticationMode: 'API', BootstrapClusterCreatorAdminPermissions: false },
      UpgradePolicy: { SupportType: 'STANDARD' },
      DeletionProtection: true,
      // Auto Mode would say so here.
      ComputeConfig: Match.absent(),
    });
  });

  test('keeps its logs for a year, encrypted, before it writes the first', () => {
    template.hasResource('AWS::Logs::LogGroup', {
      Properties: { LogGroupName: '/aws/eks/models/cluster', RetentionInDays: 365, KmsKeyId: Match.anyValue() },
      DeletionPolicy: 'Retain',
    });
    template.hasResource('AWS::EKS::Cluster', { DependsOn: Match.arrayWith([Match.stringLikeRegexp('Logs')]) });
  });

  test('lets in from the internet only who is named', () => {
    const open = newStack();
    new GpuCluster(open, 'Cluster', {
      clusterName: 'models',
      version: '1.34',
      vpc: network(open),
      admins: ['arn:aws:iam::111122223333:role/admin'],
      publicAccessFrom: ['203.0.113.0/24'],
    });
    Template.fromStack(open).hasResourceProperties('AWS::EKS::Cluster', {
      ResourcesVpcConfig: { EndpointPublicAccess: true, PublicAccessCidrs: ['203.0.113.0/24'] },
    });
  });

  test('answers who may connect to it on 443', () => {
    template.hasResourceProperties('AWS::EC2::SecurityGroupIngress', {
      CidrIp: '10.1.0.0/16',
      FromPort: 443,
      GroupId: { 'Fn::GetAtt': [Match.stringLikeRegexp('^Cluster'), 'ClusterSecurityGroupId'] },
    });
  });
});

describe('roles in Kubernetes', () => {
  test('are the admins, by an entry of their own', () => {
    template.hasResourceProperties('AWS::EKS::AccessEntry', {
      PrincipalArn: 'arn:aws:iam::111122223333:role/admin',
      AccessPolicies: [
        { AccessScope: { Type: 'cluster' }, PolicyArn: Match.objectLike({ 'Fn::Join': Match.anyValue() }) },
      ],
    });
  });

  test('get one entry each, however often something is granted', () => {
    const entries = Object.values(template.findResources('AWS::EKS::AccessEntry'));
    expect(entries).toHaveLength(2);
    expect(JSON.stringify(entries[1])).toMatch(/"Namespaces":\["shop"\].*AmazonEKSEditPolicy.*AmazonEKSViewPolicy/s);
  });

  test('may look up the address of the cluster', () => {
    template.hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: { Statement: Match.arrayWith([Match.objectLike({ Action: 'eks:DescribeCluster' })]) },
      Roles: [{ Ref: Match.stringLikeRegexp('^Deploy') }],
    });
  });
});

describe('pods', () => {
  test('of one service account have one role, which no other pods can take on', () => {
    const associations = Object.values(template.findResources('AWS::EKS::PodIdentityAssociation'));
    expect(associations.map(({ Properties }) => [Properties.Namespace, Properties.ServiceAccount])).toEqual([
      ['shop', 'ranker'],
    ]);
    template.hasResourceProperties('AWS::IAM::Role', {
      AssumeRolePolicyDocument: {
        Statement: [
          {
            Action: ['sts:AssumeRole', 'sts:TagSession'],
            Principal: { Service: 'pods.eks.amazonaws.com' },
            Condition: {
              StringEquals: {
                'aws:RequestTag/kubernetes-namespace': 'shop',
                'aws:RequestTag/kubernetes-service-account': 'ranker',
                'aws:SourceAccount': { Ref: 'AWS::AccountId' },
              },
              ArnEquals: { 'aws:SourceArn': { 'Fn::GetAtt': [Match.anyValue(), 'Arn'] } },
            },
          },
        ],
      },
    });
  });

  test('read the models that were granted, and nothing else', () => {
    const policy = Object.values(template.findResources('AWS::IAM::Policy')).find(({ Properties }) =>
      JSON.stringify(Properties.Roles).includes('Podsshopranker'),
    );
    const text = JSON.stringify(policy);
    for (const prefix of ['/ranker/*', '/shared/*']) expect(text).toContain(prefix);
    expect(new Set(text.match(/(?:s3|kms):\w+/g))).toEqual(
      new Set([
        's3:prefix',
        's3:ListBucket',
        's3:ListBucketVersions',
        's3:GetObject',
        's3:GetObjectVersion',
        'kms:Decrypt',
      ]),
    );
  });

  test('have a network whose policies hold, with rights that are its own and not the nodes', () => {
    template.hasResourceProperties('AWS::EKS::Addon', {
      AddonName: 'vpc-cni',
      ConfigurationValues: '{"enableNetworkPolicy":"true"}',
      PodIdentityAssociations: [{ ServiceAccount: 'aws-node' }],
    });
    const nodes = Object.entries(template.findResources('AWS::IAM::Role')).find(([id]) => id.includes('NodeRole'));
    expect(JSON.stringify(nodes)).not.toContain('AmazonEKS_CNI_Policy');
  });

  test('of a namespace or service account that Kubernetes does not take have no role', () => {
    expect(() => cluster.podRole({ namespace: 'Shop', serviceAccount: '*' })).toThrow(
      /namespace is no name of Kubernetes.*serviceAccount is no name/s,
    );
  });
});

describe('nodes', () => {
  test('come when there is a network for them, and what runs on them after', () => {
    const addOns = Object.entries(template.findResources('AWS::EKS::Addon'));
    const named = (name: string) => addOns.find(([, { Properties }]) => Properties.AddonName === name);
    const [nodes] = Object.entries(template.findResources('AWS::EKS::Nodegroup'));
    for (const name of ['vpc-cni', 'kube-proxy', 'eks-pod-identity-agent'])
      expect(nodes?.[1]['DependsOn']).toContain(named(name)?.[0]);
    for (const name of ['coredns', 'eks-node-monitoring-agent', 'metrics-server'])
      expect(named(name)?.[1]['DependsOn']).toContain(nodes?.[0]);
    expect(named('coredns')?.[1]).toMatchObject({ Properties: { AddonVersion: 'v1.12.4-eksbuild.1' } });
  });

  test('reach each other by name of their group in both directions, as fabric adapters want it', () => {
    for (const type of ['AWS::EC2::SecurityGroupIngress', 'AWS::EC2::SecurityGroupEgress']) {
      const rules = Object.values(template.findResources(type)).map(({ Properties }) => Properties);
      expect(
        rules.some(
          ({ IpProtocol, GroupId, SourceSecurityGroupId, DestinationSecurityGroupId }) =>
            IpProtocol === '-1' &&
            JSON.stringify(GroupId) === JSON.stringify(SourceSecurityGroupId ?? DestinationSecurityGroupId),
        ),
      ).toBe(true);
    }
  });

  test('and subnets are found by Karpenter', () => {
    const discovery = { Key: 'karpenter.sh/discovery', Value: 'models' };
    template.resourcePropertiesCountIs('AWS::EC2::Subnet', { Tags: Match.arrayWith([discovery]) }, 2);
    template.hasResourceProperties('AWS::EC2::SecurityGroup', { Tags: Match.arrayWith([discovery]) });
  });

  test('without GPUs have the image of their architecture', () => {
    const arm = newStack();
    new GpuCluster(arm, 'Cluster', {
      clusterName: 'models',
      version: '1.34',
      vpc: network(arm),
      admins: ['arn:aws:iam::111122223333:role/admin'],
      systemNodes: { instanceTypes: ['m8g.large'], nodes: 3 },
    });
    Template.fromStack(arm).hasResourceProperties('AWS::EKS::Nodegroup', {
      AmiType: 'AL2023_ARM_64_STANDARD',
      ScalingConfig: { MinSize: 3, DesiredSize: 3, MaxSize: 4 },
    });
  });
});

describe('props', () => {
  test('that hold are taken', () => expect(problems({})).toEqual([]));

  test.each<[string, Partial<GpuClusterProps>]>([
    ['bad-cluster-name', { clusterName: 'a name with spaces' }],
    ['bad-kubernetes-version', { version: '1.34.1' }],
    ['bad-kubernetes-version', { version: '1.24' }],
    ['open-to-everyone', { publicAccessFrom: ['0.0.0.0/0'] }],
    ['open-to-everyone', { publicAccessFrom: ['0.0.0.0/1'] }],
    ['bad-cidr', { publicAccessFrom: ['203.0.113.7'] }],
    ['bad-arn', { admins: ['admin'] }],
    ['no-admins', { admins: [] as unknown as [string] }],
    ['no-system-nodes', { systemNodes: { nodes: 0 } }],
    ['mixed-architectures', { systemNodes: { instanceTypes: ['m7i.large', 'm8g.large'] } }],
    ['public-subnets', { subnets: { subnetType: SubnetType.PUBLIC } }],
    ['no-subnets', { subnets: { subnetType: SubnetType.PRIVATE_ISOLATED } }],
  ])('are refused: %s', (code, change) => expect(problems(change)).toEqual([code]));

  test('are told all at once', () => {
    expect(problems({ clusterName: '', version: '1', publicAccessFrom: ['0.0.0.0/0'] })).toEqual([
      'bad-cluster-name',
      'bad-kubernetes-version',
      'open-to-everyone',
    ]);
  });

  test('of a VPC of one zone are too few', () => {
    const narrow = newStack();
    const vpc = Vpc.fromVpcAttributes(narrow, 'Network', {
      vpcId: 'vpc-0123456789abcdef0',
      availabilityZones: ['eu-west-1a'],
      privateSubnetIds: ['subnet-0123456789abcdef0'],
    });
    expect(problems({ vpc })).toEqual(['too-few-zones']);
  });
});

test('manifests are applied by an admin inside of the VPC, when there are nodes for them', () => {
  const other = newStack();
  const applying = new GpuCluster(other, 'Cluster', {
    clusterName: 'models',
    version: '1.34',
    vpc: network(other),
    admins: ['arn:aws:iam::111122223333:role/admin'],
  });
  const layer = LayerVersion.fromLayerVersionArn(
    other,
    'kubectl',
    'arn:aws:lambda:eu-west-1:111122223333:layer:kubectl:34',
  );
  applying.withKubectl(layer).addManifest('Namespace', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'gpu' },
  });
  const applied = Template.fromStack(other);
  const entries = Object.entries(applied.findResources('AWS::EKS::AccessEntry'));
  const nodes = Object.keys(applied.findResources('AWS::EKS::Nodegroup'));
  expect(entries).toHaveLength(2);
  applied.hasResource('Custom::AWSCDK-EKS-KubernetesResource', {
    Properties: { Manifest: Match.stringLikeRegexp('"name":"gpu"') },
    DependsOn: Match.arrayWith([...nodes, ...entries.slice(1).map(([id]) => id)].toSorted()),
  });
  for (const { Properties } of Object.values(applied.findResources('AWS::Lambda::Function')))
    expect(Properties.VpcConfig.SubnetIds).toHaveLength(2);
});

test('metrics are those of the control plane', () => {
  expect(cluster.metricUnschedulablePods()).toMatchObject({
    namespace: 'AWS/EKS',
    metricName: 'scheduler_pending_pods_UNSCHEDULABLE',
    dimensions: { ClusterName: 'models' },
    statistic: 'Maximum',
  });
  expect(cluster.metricServerErrors().metricName).toBe('apiserver_request_total_5XX');
});

test('what nodes are let in for can be said by the port', () => {
  const other = newStack();
  const { nodeSecurityGroup } = new GpuCluster(other, 'Cluster', {
    clusterName: 'models',
    version: '1.34',
    vpc: network(other),
    admins: ['arn:aws:iam::111122223333:role/admin'],
  });
  nodeSecurityGroup.connections.allowFrom(Peer.ipv4('10.0.0.0/16'), Port.tcp(8000), 'Load balancer');
  Template.fromStack(other).hasResourceProperties('AWS::EC2::SecurityGroup', {
    SecurityGroupIngress: [Match.objectLike({ CidrIp: '10.0.0.0/16', FromPort: 8000 })],
  });
});
