import { Fn, type Size } from 'aws-cdk-lib';
import { CfnLaunchTemplate } from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import type { AcceleratedInstance } from '../accelerators.ts';

/** The operating system of nodes, by the names that EKS gives its images. */
export type NodeSystem = 'al2023' | 'bottlerocket';

export interface NodeTemplateProps {
  readonly system: NodeSystem;
  readonly disk: Size;
  readonly securityGroupIds: readonly string[];
  /** Whether the instances have NVMe disks of their own, which then hold images and temporary files. */
  readonly localDisks: boolean;
  /** One of the instances, where all are to have every Elastic Fabric Adapter they can; they are laid out alike. */
  readonly fabric?: AcceleratedInstance | undefined;
  readonly placementGroup?: string | undefined;
  readonly reservation?: CfnLaunchTemplate.CapacityReservationSpecificationProperty | undefined;
  /** A capacity block is for one instance type, which EKS wants to find here. */
  readonly capacityBlock?: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * A launch template of managed nodes: an encrypted root volume that does not throttle the pulling of large images, and credentials of the node that
 * no pod can reach, since a container is one hop too far.
 */
export function nodeTemplate(scope: Construct, id: string, props: NodeTemplateProps): CfnLaunchTemplate {
  const { system, disk, securityGroupIds, fabric, placementGroup, reservation, capacityBlock } = props;
  const userData = props.localDisks ? userDataOf(system) : undefined;
  const tags = Object.entries(props.tags).map(([key, value]) => ({ key, value }));
  return new CfnLaunchTemplate(scope, id, {
    launchTemplateData: {
      // Bottlerocket keeps images and pods on its second volume.
      blockDeviceMappings: [
        {
          deviceName: system === 'bottlerocket' ? '/dev/xvdb' : '/dev/xvda',
          ebs: {
            volumeSize: disk.toGibibytes(),
            volumeType: 'gp3',
            throughput: 500,
            iops: 6000,
            encrypted: true,
            deleteOnTermination: true,
          },
        },
      ],
      metadataOptions: { httpEndpoint: 'enabled', httpTokens: 'required', httpPutResponseHopLimit: 1 },
      monitoring: { enabled: true },
      ...(fabric === undefined
        ? { securityGroupIds: [...securityGroupIds] }
        : { networkInterfaces: fabricInterfaces(fabric, securityGroupIds) }),
      ...(placementGroup === undefined ? {} : { placement: { groupName: placementGroup } }),
      ...(reservation === undefined ? {} : { capacityReservationSpecification: reservation }),
      ...(capacityBlock === undefined
        ? {}
        : { instanceType: capacityBlock, instanceMarketOptions: { marketType: 'capacity-block' } }),
      ...(userData === undefined ? {} : { userData: Fn.base64(userData) }),
      tagSpecifications: (['instance', 'volume', 'network-interface'] as const).map((resourceType) => ({
        resourceType,
        tags,
      })),
    },
  });
}

/**
 * An ordinary interface first, then an adapter on every network card that has one. Adapters are EFA only: they take no address of the subnet.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/efa-acc-inst-types.html
 */
function fabricInterfaces(
  { efaInterfaces, networkCards }: AcceleratedInstance,
  securityGroupIds: readonly string[],
): CfnLaunchTemplate.NetworkInterfaceProperty[] {
  // With one card more than adapters, the first card has none.
  const firstCard = efaInterfaces < networkCards ? 1 : 0;
  const shared = { groups: [...securityGroupIds], deleteOnTermination: true };
  return [
    { ...shared, networkCardIndex: 0, deviceIndex: 0, interfaceType: 'interface' },
    ...Array.from({ length: efaInterfaces }, (_, index) => {
      const card = firstCard + index;
      return { ...shared, networkCardIndex: card, deviceIndex: card === 0 ? 1 : 0, interfaceType: 'efa-only' };
    }),
  ];
}

/** Makes one fast disk of the instance's own ones, for images, pods' temporary files and logs. EKS adds its part of the settings. */
function userDataOf(system: NodeSystem): string {
  return system === 'bottlerocket' ? bottlerocketSettings : nodeadmSettings;
}

/** https://awslabs.github.io/amazon-eks-ami/nodeadm/doc/api/#localstorageoptions */
const nodeadmSettings = `MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="//"

--//
Content-Type: application/node.eks.aws

---
apiVersion: node.eks.aws/v1alpha1
kind: NodeConfig
spec:
  instance:
    localStorage:
      strategy: RAID0

--//--
`;

/** https://bottlerocket.dev/en/os/latest/#/api/settings/bootstrap-commands/ */
const bottlerocketSettings = `[settings.bootstrap-commands.000-mount-instance-storage]
commands = [
  ["apiclient", "ephemeral-storage", "init"],
  ["apiclient", "ephemeral-storage", "bind", "--dirs", "/var/lib/containerd", "/var/lib/kubelet", "/var/log/pods"],
]
essential = true
mode = "always"
`;
