import { type App, Size, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { acceleratedInstances, acceleratorProduct } from '../accelerators.ts';
import { network } from '../fixtures/network.ts';
import { newStack } from '../fixtures/synthesized.ts';
import { ConstructError, GpuCluster, GpuNodeGroup, type GpuNodeGroupProps, warningsOf } from '../index.ts';

type GroupProps = Omit<GpuNodeGroupProps, 'cluster'>;

const app = newStack().node.root as App;
const clusters = new Stack(app, 'Clusters');
const vpc = network(clusters);
const cluster = new GpuCluster(clusters, 'Cluster', {
  clusterName: 'models',
  version: '1.34',
  vpc,
  admins: ['arn:aws:iam::111122223333:role/admin'],
});
const oneZone = { subnets: { subnets: vpc.privateSubnets.slice(0, 1) } };
const block = { id: 'cr-0123456789abcdef0', capacityBlock: true };
let made = 0;

function group(props: GroupProps): GpuNodeGroup {
  made += 1;
  return new GpuNodeGroup(clusters, `Group${made}`, { cluster, ...props });
}

/** What one group's resource has, the template's reference to others left as they are. */
function rendered({ nodeGroup, launchTemplate }: GpuNodeGroup): {
  readonly nodes: Record<string, unknown>;
  readonly template: Record<string, unknown>;
} {
  const stack = Stack.of(nodeGroup);
  const of = (resource: typeof nodeGroup | typeof launchTemplate) =>
    Object.values(
      // Without what is undefined.
      (
        JSON.parse(JSON.stringify(stack.resolve(resource._toCloudFormation()))) as {
          Resources: Record<string, { Properties: object }>;
        }
      ).Resources,
    )[0]?.Properties as Record<string, unknown>;
  return { nodes: of(nodeGroup), template: of(launchTemplate)['LaunchTemplateData'] as Record<string, unknown> };
}

function problems(props: GroupProps): readonly string[] {
  try {
    group(props);
  } catch (error) {
    if (error instanceof ConstructError) return error.problems.map(({ code }) => code);
    throw error;
  }
  return [];
}

describe('nodes with GPUs', () => {
  const { nodes, template } = rendered(
    group({ instanceTypes: ['g6.xlarge'], maxGpus: 4, labels: { team: 'ranking' } }),
  );

  test('have the image with the driver, labels and taint, and repair themselves', () => {
    expect(nodes).toMatchObject({
      AmiType: 'AL2023_x86_64_NVIDIA',
      CapacityType: 'ON_DEMAND',
      InstanceTypes: ['g6.xlarge'],
      Version: '1.34',
      ScalingConfig: { MinSize: 0, DesiredSize: 0, MaxSize: 4 },
      NodeRepairConfig: { Enabled: true },
      UpdateConfig: { MaxUnavailable: 1, UpdateStrategy: 'DEFAULT' },
      Taints: [{ Key: 'nvidia.com/gpu', Value: 'true', Effect: 'NO_SCHEDULE' }],
      Labels: { 'karpenter.k8s.aws/instance-gpu-name': 'l4', team: 'ranking' },
    });
  });

  test('have an encrypted disk for large images, and credentials no pod reaches', () => {
    expect(template).toMatchObject({
      BlockDeviceMappings: [
        { DeviceName: '/dev/xvda', Ebs: { VolumeSize: 200, VolumeType: 'gp3', Encrypted: true, Throughput: 500 } },
      ],
      MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 1 },
    });
    expect(template).not.toHaveProperty('NetworkInterfaces');
  });

  test('make one disk of their own NVMe disks', () => {
    expect(JSON.stringify(template['UserData'])).toContain('strategy: RAID0');
    const { template: plain } = rendered(group({ instanceTypes: ['g5g.xlarge'], maxGpus: 1 }));
    expect(plain).not.toHaveProperty('UserData');
  });

  test('cannot be more than maxGpus allows', () => {
    expect(group({ instanceTypes: ['g5.12xlarge'], maxGpus: 11 }).maxNodes).toBe(2);
  });

  test('of ARM and of Neuron chips have images of their own', () => {
    expect(rendered(group({ instanceTypes: ['g5g.xlarge'], maxGpus: 1 })).nodes).toMatchObject({
      AmiType: 'AL2023_ARM_64_NVIDIA',
    });
    expect(rendered(group({ instanceTypes: ['inf2.xlarge'], maxGpus: 1 })).nodes).toMatchObject({
      AmiType: 'AL2023_x86_64_NEURON',
      Taints: [{ Key: 'aws.amazon.com/neuron', Value: 'true', Effect: 'NO_SCHEDULE' }],
      Labels: { 'karpenter.k8s.aws/instance-accelerator-name': 'inferentia2' },
    });
  });

  test('of Bottlerocket keep images on its second volume', () => {
    const { nodes: bottlerocket, template: itsTemplate } = rendered(
      group({ instanceTypes: ['g6.xlarge'], maxGpus: 1, system: 'bottlerocket', disk: Size.gibibytes(300) }),
    );
    expect(bottlerocket).toMatchObject({ AmiType: 'BOTTLEROCKET_x86_64_NVIDIA' });
    expect(itsTemplate).toMatchObject({
      BlockDeviceMappings: [{ DeviceName: '/dev/xvdb', Ebs: { VolumeSize: 300 } }],
      UserData: { 'Fn::Base64': expect.stringContaining('["apiclient", "ephemeral-storage", "init"]') },
    });
  });

  test('may do without the taint', () => {
    expect(rendered(group({ instanceTypes: ['g6.xlarge'], maxGpus: 1, taint: false })).nodes).not.toHaveProperty(
      'Taints',
    );
  });
});

describe.each([...acceleratedInstances.values()].filter(({ images }) => images.al2023 !== undefined))(
  '$instanceType',
  ({ instanceType, count, images, product }) => {
    test('becomes nodes with its image and its name', () => {
      const { nodes } = rendered(group({ instanceTypes: [instanceType], maxGpus: count }));
      expect(nodes).toMatchObject({ AmiType: images.al2023, ScalingConfig: { MaxSize: 1 } });
      expect(Object.values(nodes['Labels'] as object)).toContain(acceleratorProduct(product).karpenterName);
    });
  },
);

describe('nodes with fabric', () => {
  test.each([
    ['p4d.24xlarge', 4, 0],
    ['p5.48xlarge', 32, 0],
    ['p6-b300.48xlarge', 16, 1],
    ['g5.8xlarge', 1, 0],
  ])('of %s have %i adapters from card %i on, and an ordinary interface first', (instanceType, adapters, firstCard) => {
    const { template } = rendered(group({ instanceTypes: [instanceType], maxGpus: 8, fabric: true, ...oneZone }));
    const [first, ...rest] = template['NetworkInterfaces'] as readonly Record<string, unknown>[];
    expect(first).toMatchObject({ NetworkCardIndex: 0, DeviceIndex: 0, InterfaceType: 'interface' });
    expect(rest.map(({ NetworkCardIndex }) => NetworkCardIndex)).toEqual(
      Array.from({ length: adapters }, (_, index) => firstCard + index),
    );
    for (const { InterfaceType, NetworkCardIndex, DeviceIndex, Groups } of rest) {
      expect(InterfaceType).toBe('efa-only');
      expect(DeviceIndex).toBe(NetworkCardIndex === 0 ? 1 : 0);
      expect(Groups).toHaveLength(1);
    }
    expect(template).not.toHaveProperty('SecurityGroupIds');
  });

  test('are close to each other, in one subnet, and replaced in place', () => {
    const training = group({ instanceTypes: ['p4d.24xlarge'], maxGpus: 32, fabric: true, ...oneZone });
    expect(training.placementGroup?.strategy).toBe('cluster');
    expect(rendered(training)).toMatchObject({
      nodes: { Subnets: [expect.anything()], UpdateConfig: { UpdateStrategy: 'MINIMAL' } },
      template: { Placement: { GroupName: expect.anything() } },
    });
  });
});

describe('reserved nodes', () => {
  test('of a capacity block are bought as one', () => {
    const { nodes, template } = rendered(
      group({ instanceTypes: ['p5.48xlarge'], maxGpus: 16, reservation: block, ...oneZone }),
    );
    expect(nodes).toMatchObject({ CapacityType: 'CAPACITY_BLOCK' });
    expect(nodes).not.toHaveProperty('InstanceTypes');
    expect(template).toMatchObject({
      InstanceType: 'p5.48xlarge',
      InstanceMarketOptions: { MarketType: 'capacity-block' },
      CapacityReservationSpecification: { CapacityReservationTarget: { CapacityReservationId: block.id } },
    });
  });

  test('of another reservation never come from elsewhere', () => {
    const { nodes, template } = rendered(
      group({ instanceTypes: ['g6.xlarge'], maxGpus: 2, reservation: { id: block.id }, ...oneZone }),
    );
    expect(nodes).toMatchObject({ CapacityType: 'ON_DEMAND', InstanceTypes: ['g6.xlarge'] });
    expect(template).toMatchObject({
      CapacityReservationSpecification: { CapacityReservationTarget: { CapacityReservationId: block.id } },
    });
  });
});

describe('props', () => {
  test.each<[string, GroupProps]>([
    ['unknown-instance-type', { instanceTypes: ['g6.xlage'], maxGpus: 1 }],
    ['no-instance-types', { instanceTypes: [] as unknown as [string], maxGpus: 1 }],
    ['mixed-architectures', { instanceTypes: ['g5.xlarge', 'g5g.xlarge'], maxGpus: 1 }],
    ['mixed-makers', { instanceTypes: ['g5.xlarge', 'inf2.xlarge'], maxGpus: 1 }],
    ['no-image', { instanceTypes: ['g7.2xlarge'], maxGpus: 1 }],
    ['no-gpu-limit', { instanceTypes: ['g6.xlarge'], maxGpus: 0 }],
    ['no-gpu-limit', { instanceTypes: ['g6.xlarge'], maxGpus: Number.POSITIVE_INFINITY }],
    ['limit-below-node', { instanceTypes: ['p5.48xlarge'], maxGpus: 4 }],
    ['bad-size', { instanceTypes: ['g6.xlarge'], maxGpus: 2, desiredNodes: 3 }],
    ['desired-below-minimum', { instanceTypes: ['g6.xlarge'], maxGpus: 2, minNodes: 2, desiredNodes: 1 }],
    ['small-disk', { instanceTypes: ['g6.xlarge'], maxGpus: 2, disk: Size.gibibytes(20) }],
    ['several-zones', { instanceTypes: ['p4d.24xlarge'], maxGpus: 8, fabric: true }],
    ['no-fabric', { instanceTypes: ['g6.xlarge'], maxGpus: 8, fabric: true, ...oneZone }],
    ['mixed-fabric', { instanceTypes: ['p4d.24xlarge', 'p5.48xlarge'], maxGpus: 8, fabric: true, ...oneZone }],
    [
      'reserved-and-spot',
      { instanceTypes: ['p5.48xlarge'], maxGpus: 8, capacity: 'spot', reservation: block, ...oneZone },
    ],
    ['bad-reservation', { instanceTypes: ['p5.48xlarge'], maxGpus: 8, reservation: { id: 'mine' }, ...oneZone }],
    ['no-capacity-block', { instanceTypes: ['g6.xlarge'], maxGpus: 8, reservation: block, ...oneZone }],
    [
      'several-reserved-types',
      { instanceTypes: ['p5.48xlarge', 'p5e.48xlarge'], maxGpus: 8, reservation: block, ...oneZone },
    ],
    ['no-mig', { instanceTypes: ['g6.xlarge'], maxGpus: 8, partition: 'mig' }],
    ['no-time-slicing', { instanceTypes: ['inf2.xlarge'], maxGpus: 8, partition: 'time-slicing' }],
    ['bad-label', { instanceTypes: ['g6.xlarge'], maxGpus: 8, labels: { 'kubernetes.io/os': 'linux' } }],
    ['bad-label', { instanceTypes: ['g6.xlarge'], maxGpus: 8, labels: { team: 'a b' } }],
  ])('are refused: %s', (code, props) => expect(problems(props)).toEqual([code]));

  test('are told all at once, with the nearest name of an instance type', () => {
    const props: GroupProps = {
      instanceTypes: ['g6.xlage', 'g5.xlarge'],
      maxGpus: 1,
      desiredNodes: 2,
      partition: 'mig',
    };
    expect(problems(props)).toEqual(['unknown-instance-type', 'bad-size', 'no-mig']);
    expect(() => group(props)).toThrow(/Did you mean g6\.xlarge\?/);
  });

  test('take an image by name where EKS documents none', () => {
    const { nodes } = rendered(group({ instanceTypes: ['g7.2xlarge'], maxGpus: 1, amiType: 'AL2023_x86_64_NVIDIA' }));
    expect(nodes).toMatchObject({ AmiType: 'AL2023_x86_64_NVIDIA' });
  });

  test.each<[string, GroupProps]>([
    ['one-spot-pool', { instanceTypes: ['g6.xlarge'], maxGpus: 2, capacity: 'spot' }],
    ['spot-minimum', { instanceTypes: ['g6.xlarge', 'g6.2xlarge'], maxGpus: 2, capacity: 'spot', minNodes: 1 }],
    ['several-products', { instanceTypes: ['g6.xlarge', 'g5.xlarge'], maxGpus: 2 }],
    ['several-counts', { instanceTypes: ['g6.xlarge', 'g6.12xlarge'], maxGpus: 4 }],
  ])('are warned of: %s', (code, props) => {
    expect(warningsOf(group(props)).map((warning) => warning.code)).toEqual([code]);
  });

  test('with several spot pools of one GPU are no reason for a warning', () => {
    const spot = group({ instanceTypes: ['g6.xlarge', 'g6.2xlarge', 'gr6.4xlarge'], maxGpus: 2, capacity: 'spot' });
    expect(warningsOf(spot)).toEqual([]);
    expect(rendered(spot).nodes).toMatchObject({ CapacityType: 'SPOT' });
  });
});

test('groups wait for the network of pods', () => {
  const stack = newStack();
  const own = new GpuCluster(stack, 'Cluster', {
    clusterName: 'models',
    version: '1.34',
    vpc: network(stack),
    admins: ['arn:aws:iam::111122223333:role/admin'],
  });
  new GpuNodeGroup(stack, 'Serving', { cluster: own, instanceTypes: ['g6.xlarge'], maxGpus: 1 });
  Template.fromStack(stack).hasResource('AWS::EKS::Nodegroup', {
    Properties: { AmiType: 'AL2023_x86_64_NVIDIA' },
    DependsOn: Match.arrayWith([Match.stringLikeRegexp('AddOnvpccni')]),
  });
});
