import { Token } from 'aws-cdk-lib';
import type { IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import type { ConstructProblem } from '../../problem/index.ts';
import { type AcceleratedInstance, accelerator, acceleratorProblem } from '../accelerators.ts';
import { subnetProblems } from './cluster-problems.ts';
import type { GpuNodeGroupProps } from './gpu-node-group.ts';

/** What is wrong with a group's props. */
export function groupProblems(
  props: GpuNodeGroupProps,
  vpc: IVpc,
  selection: SubnetSelection,
): readonly ConstructProblem[] {
  const unknown = props.instanceTypes.flatMap(
    (type, index) => acceleratorProblem(`instanceTypes[${index}]`, type) ?? [],
  );
  const instances = props.instanceTypes.flatMap((type) => accelerator(type) ?? []);
  return [
    ...(props.instanceTypes.length > 0
      ? unknown
      : [
          {
            code: 'no-instance-types',
            message: 'instanceTypes is empty',
            fix: "Name what is wanted: ['g6.xlarge', 'g5.xlarge'].",
          },
        ]),
    ...mixtureProblems(props, instances),
    ...sizeProblems(props, instances),
    ...capacityProblems(props, instances),
    ...fabricProblems(props, instances),
    ...placeProblems(props, vpc, selection),
    ...labelProblems(props),
  ];
}

/** What works and a careful reader would change. */
export function groupWarnings({ instanceTypes, capacity, minNodes }: GpuNodeGroupProps): readonly ConstructProblem[] {
  const warnings: ConstructProblem[] = [];
  const instances = instanceTypes.flatMap((type) => accelerator(type) ?? []);
  if (capacity === 'spot' && new Set(instanceTypes).size === 1) {
    warnings.push({
      code: 'one-spot-pool',
      message: 'capacity is spot with one instance type: when that pool is empty, no node comes',
      found: instanceTypes.join(', '),
      fix: 'Name others that would do besides, such as another size or generation.',
    });
  }
  if (capacity === 'spot' && (minNodes ?? 0) > 0) {
    warnings.push({
      code: 'spot-minimum',
      message: 'minNodes is kept from spot capacity, which may all go at once',
      found: String(minNodes),
      fix: 'Keep what must not go in a group of on-demand capacity.',
    });
  }
  const products = new Set(instances.map(({ product }) => product));
  if (products.size > 1) {
    warnings.push({
      code: 'several-products',
      message: 'instanceTypes have different accelerators, so pods that ask for one by its name find none of them here',
      found: [...products].join(', '),
      fix: 'Make a group of each, or let pods take any.',
    });
  }
  const counts = new Set(instances.map(({ count }) => count));
  if (counts.size > 1) {
    warnings.push({
      code: 'several-counts',
      message: 'instanceTypes have different numbers of accelerators; maxGpus is counted as if every node had the most',
      found: [...counts].join(', '),
      fix: 'Keep those of one number in a group.',
    });
  }
  return warnings;
}

/** A group of nodes has one image, so one architecture and one driver. */
function mixtureProblems(
  { system = 'al2023', amiType }: GpuNodeGroupProps,
  instances: readonly AcceleratedInstance[],
): readonly ConstructProblem[] {
  const problems: ConstructProblem[] = [];
  const named = (part: (instance: AcceleratedInstance) => string) =>
    instances.map((instance) => `${instance.instanceType} (${part(instance)})`).join(', ');
  if (new Set(instances.map(({ architecture }) => architecture)).size > 1) {
    problems.push({
      code: 'mixed-architectures',
      message: 'instanceTypes are of two architectures, and a group of nodes has one image',
      found: named(({ architecture }) => architecture),
      fix: 'Make a group of each.',
    });
  }
  if (new Set(instances.map(({ vendor }) => vendor)).size > 1) {
    problems.push({
      code: 'mixed-makers',
      message: 'instanceTypes have GPUs of NVIDIA and Neuron chips, and a group of nodes has the driver of one',
      found: named(({ vendor }) => vendor),
      fix: 'Make a group of each.',
    });
  }
  if (amiType !== undefined) return problems;
  for (const { instanceType, images } of instances) {
    if (images[system] !== undefined) continue;
    problems.push({
      code: 'no-image',
      message: `EKS documents no image of ${system} for ${instanceType}`,
      fix: 'Choose another instance type, or name an image by amiType that was tried.',
    });
  }
  return problems;
}

function sizeProblems(
  { maxGpus, minNodes = 0, desiredNodes = minNodes, disk }: GpuNodeGroupProps,
  instances: readonly AcceleratedInstance[],
): readonly ConstructProblem[] {
  const problems: ConstructProblem[] = [];
  if (disk !== undefined && disk.toGibibytes({ rounding: 0 }) < 50) {
    problems.push({
      code: 'small-disk',
      message: 'disk holds the driver and no image of a model server',
      found: `${disk.toGibibytes()} GiB`,
      expected: 'at least 50 GiB',
      fix: 'Raise it; the default is 200 GiB.',
    });
  }
  if (!Number.isInteger(maxGpus) || maxGpus < 1) {
    problems.push({
      code: 'no-gpu-limit',
      message: 'maxGpus is no number of GPUs, so nothing would bound what the group costs',
      found: String(maxGpus),
      expected: 'a whole number from 1',
      fix: 'Set it to what you are willing to pay for.',
    });
    return problems;
  }
  const most = Math.max(0, ...instances.map(({ count }) => count));
  if (most === 0) return problems;
  if (maxGpus < most) {
    problems.push({
      code: 'limit-below-node',
      message: `maxGpus ${maxGpus} is less than the ${most} of one node, so no node would ever come`,
      fix: `Raise maxGpus to at least ${most}.`,
    });
    return problems;
  }
  const maxNodes = Math.floor(maxGpus / most);
  for (const [prop, nodes] of [
    ['minNodes', minNodes],
    ['desiredNodes', desiredNodes],
  ] as const) {
    if (Number.isInteger(nodes) && nodes >= 0 && nodes <= maxNodes) continue;
    problems.push({
      code: 'bad-size',
      message: `${prop} is not within what maxGpus ${maxGpus} allows of nodes with ${most} each`,
      found: String(nodes),
      expected: `a whole number from 0 to ${maxNodes}`,
      fix: `Lower it, or raise maxGpus to ${Math.max(1, Math.ceil(nodes)) * most}.`,
    });
  }
  if (desiredNodes < minNodes) {
    problems.push({
      code: 'desired-below-minimum',
      message: `desiredNodes ${desiredNodes} is less than minNodes ${minNodes}`,
      fix: 'Leave desiredNodes out, or lower minNodes.',
    });
  }
  return problems;
}

function capacityProblems(
  { capacity, reservation, partition, instanceTypes }: GpuNodeGroupProps,
  instances: readonly AcceleratedInstance[],
): readonly ConstructProblem[] {
  const problems: ConstructProblem[] = [];
  if (reservation !== undefined) {
    if (capacity === 'spot') {
      problems.push({
        code: 'reserved-and-spot',
        message: "capacity 'spot' does not come out of a reservation",
        fix: 'Leave capacity out.',
      });
    }
    if (!Token.isUnresolved(reservation.id) && !/^cr-[0-9a-f]{8,17}$/.test(reservation.id)) {
      problems.push({
        code: 'bad-reservation',
        message: 'reservation.id is no capacity reservation',
        found: reservation.id,
        expected: 'cr-0123456789abcdef0',
        fix: 'Copy it from EC2, Capacity Reservations.',
      });
    }
    if (instanceTypes.length > 1) {
      problems.push({
        code: 'several-reserved-types',
        message: 'instanceTypes has several, and a reservation is of one',
        found: instanceTypes.join(', '),
        fix: 'Name the one that is reserved.',
      });
    }
    for (const { instanceType, capacityBlock } of instances) {
      if (reservation.capacityBlock !== true || capacityBlock) continue;
      problems.push({
        code: 'no-capacity-block',
        message: `EC2 has no capacity blocks of ${instanceType}`,
        fix: 'Leave reservation.capacityBlock out where it is another reservation.',
      });
    }
  }
  for (const { instanceType, mig, vendor } of instances) {
    if (partition === 'mig' && !mig) {
      problems.push({
        code: 'no-mig',
        message: `partition: ${instanceType} has no GPU that MIG could divide`,
        fix: vendor === 'nvidia' ? "Use 'time-slicing', or A100, H100 or later." : 'Leave partition out.',
      });
    } else if (partition === 'time-slicing' && vendor !== 'nvidia') {
      problems.push({
        code: 'no-time-slicing',
        message: `partition: pods cannot take turns on the Neuron chips of ${instanceType}`,
        fix: 'Leave partition out.',
      });
    }
  }
  return problems;
}

function fabricProblems(
  { fabric }: GpuNodeGroupProps,
  instances: readonly AcceleratedInstance[],
): readonly ConstructProblem[] {
  if (fabric !== true) return [];
  const without = instances.filter(({ efaInterfaces }) => efaInterfaces === 0);
  const layouts = new Set(instances.map(({ efaInterfaces, networkCards }) => `${efaInterfaces} of ${networkCards}`));
  return [
    ...without.map(({ instanceType }) => ({
      code: 'no-fabric',
      message: `fabric: ${instanceType} has no Elastic Fabric Adapter`,
      fix: 'Choose a larger size, or leave fabric out.',
    })),
    ...(without.length > 0 || layouts.size < 2
      ? []
      : [
          {
            code: 'mixed-fabric',
            message: 'fabric: instanceTypes have different numbers of adapters, and the launch template lists them',
            found: instances.map((one) => `${one.instanceType} (${one.efaInterfaces})`).join(', '),
            fix: 'Keep those of one number in a group.',
          },
        ]),
  ];
}

/** A placement group and a reservation are of one zone. */
function placeProblems(
  { fabric, reservation }: GpuNodeGroupProps,
  vpc: IVpc,
  selection: SubnetSelection,
): readonly ConstructProblem[] {
  const wrong = subnetProblems(vpc, selection, 1);
  if (wrong.length > 0 || (fabric !== true && reservation === undefined)) return wrong;
  const found = vpc.selectSubnets(selection);
  if (found.isPendingLookup || found.subnetIds.length === 1) return [];
  return [
    {
      code: 'several-zones',
      message: `${fabric === true ? 'fabric' : 'reservation'} is of one zone, and subnets are ${found.subnetIds.length}`,
      fix: 'Select one: subnets: { subnets: [vpc.privateSubnets[0]] }.',
    },
  ];
}

/** https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateNodegroup.html */
function labelProblems({ labels = {} }: GpuNodeGroupProps): readonly ConstructProblem[] {
  return Object.entries(labels).flatMap(([key, value]) => {
    const reserved = /^(?:.*\.)?(?:kubernetes\.io|k8s\.io|eks\.amazonaws\.com)\//.test(key);
    const wellFormed =
      /^(?:[a-z0-9.-]{1,253}\/)?[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?$/.test(key) &&
      /^(?:[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?)?$/.test(value);
    if (!reserved && wellFormed) return [];
    return [
      {
        code: 'bad-label',
        message: reserved
          ? 'labels has one of those that Kubernetes and EKS keep for themselves'
          : 'labels has one that Kubernetes does not take',
        found: `${key}=${value}`,
        fix: "Use a name of your own, such as 'acme.example/gpu-type'.",
      },
    ];
  });
}
