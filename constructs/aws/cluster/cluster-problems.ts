import { Token } from 'aws-cdk-lib';
import type { IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import type { ConstructProblem } from '../../problem/index.ts';
import { architectureOf } from '../accelerators.ts';
import type { GpuClusterProps } from './gpu-cluster.ts';
import type { PodIdentity } from './pod-role.ts';

/** What is wrong with a cluster's props, subnets aside. */
export function clusterProblems(props: GpuClusterProps): readonly ConstructProblem[] {
  const problems: ConstructProblem[] = [];
  const { clusterName, version, publicAccessFrom, systemNodes = {} } = props;
  // Karpenter's role of nodes is named after it, and IAM takes 64 characters.
  if (!/^[0-9A-Za-z][0-9A-Za-z-]{0,47}$/.test(clusterName)) {
    problems.push({
      code: 'bad-cluster-name',
      message: Token.isUnresolved(clusterName)
        ? 'clusterName is not known before deployment, and rights and tags are bound to it'
        : 'clusterName is none that EKS, IAM and SQS all take',
      found: clusterName,
      expected: 'up to 48 letters, digits and hyphens',
      fix: 'Write it out, such as models-production.',
    });
  }
  if (!/^1\.(?:[3-9]\d|\d{3})$/.test(version)) {
    problems.push({
      code: 'bad-kubernetes-version',
      message: 'version is no version of Kubernetes that EKS runs with its images of Amazon Linux 2023 for GPUs',
      found: version,
      expected: '1.30 or later, without a patch: 1.34',
      fix: 'Name one that `aws eks describe-cluster-versions` lists.',
    });
  }
  for (const cidr of publicAccessFrom ?? []) {
    if (/^0{1,3}\.0{1,3}\.0{1,3}\.0{1,3}\/|\/0$/.test(cidr)) {
      problems.push({
        code: 'open-to-everyone',
        message: "publicAccessFrom lets the whole internet at Kubernetes' API",
        found: cidr,
        expected: "your own addresses, such as the office's",
        fix: 'Name them, or leave publicAccessFrom out and come through the VPC.',
      });
    } else if (!Token.isUnresolved(cidr) && !/^\d{1,3}(?:\.\d{1,3}){3}\/\d{1,2}$/.test(cidr)) {
      problems.push({
        code: 'bad-cidr',
        message: 'publicAccessFrom has no range of IPv4 addresses',
        found: cidr,
        expected: 'a range such as 203.0.113.0/24',
        fix: 'Correct it.',
      });
    }
  }
  const [...admins] = props.admins;
  if (admins.length === 0) {
    problems.push({
      code: 'no-admins',
      message: 'admins is empty, so nobody could ever do anything in Kubernetes',
      fix: 'Name the role that people or the pipeline take on.',
    });
  }
  for (const arn of admins) {
    if (Token.isUnresolved(arn) || /^arn:aws[a-z-]*:iam::\d{12}:(?:role|user)\/\S+$/.test(arn)) continue;
    problems.push({
      code: 'bad-arn',
      message: 'admins has no ARN of a role',
      found: arn,
      expected: 'arn:aws:iam::111122223333:role/admin',
      fix: 'Copy it from IAM; of a role that people assume, without the session.',
    });
  }
  const { nodes = 2, instanceTypes = ['m7i.large'] } = systemNodes;
  if (!Number.isInteger(nodes) || nodes < 1) {
    problems.push({
      code: 'no-system-nodes',
      message: 'systemNodes.nodes is no number of nodes, and CoreDNS has nowhere else to run',
      found: String(nodes),
      expected: 'a whole number from 1; 2 survive the loss of a zone',
      fix: 'Raise it.',
    });
  }
  const architectures = new Set(instanceTypes.map(architectureOf));
  if (architectures.size > 1) {
    problems.push({
      code: 'mixed-architectures',
      message: 'systemNodes.instanceTypes are of two architectures, and a group of nodes has one image',
      found: instanceTypes.join(', '),
      fix: 'Keep those of one.',
    });
  }
  return problems;
}

/** What is wrong with the subnets that are to hold nodes, `zones` being how many they are to be in at least. */
export function subnetProblems(vpc: IVpc, selection: SubnetSelection, zones: number): readonly ConstructProblem[] {
  let found: ReturnType<IVpc['selectSubnets']>;
  try {
    found = vpc.selectSubnets(selection);
  } catch (error) {
    return [
      {
        code: 'no-subnets',
        message: `subnets selects none: ${error instanceof Error ? error.message : String(error)}`,
        fix: 'Give the VPC private subnets with a way out, or select others.',
      },
    ];
  }
  const problems: ConstructProblem[] = [];
  if (found.hasPublic) {
    problems.push({
      code: 'public-subnets',
      message: 'subnets has public ones, so that nodes would have addresses of the internet',
      fix: 'Select private ones: { subnetType: SubnetType.PRIVATE_WITH_EGRESS }.',
    });
  }
  if (!found.isPendingLookup && new Set(found.availabilityZones).size < zones) {
    problems.push({
      code: 'too-few-zones',
      message: 'subnets are in fewer zones than EKS wants for its control plane',
      found: String(new Set(found.availabilityZones).size),
      expected: `${zones} or more`,
      fix: 'Select subnets of another zone besides.',
    });
  }
  return problems;
}

/** What is wrong with the names of a service account. https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ */
export function podIdentityProblems({ namespace, serviceAccount }: PodIdentity): readonly ConstructProblem[] {
  return [
    ['namespace', namespace, /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/] as const,
    ['serviceAccount', serviceAccount, /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/] as const,
  ].flatMap(([prop, name, pattern]) =>
    pattern.test(name)
      ? []
      : [
          {
            code: 'bad-name',
            message: `${prop} is no name of Kubernetes`,
            found: name,
            expected: 'small letters, digits and hyphens',
            fix: 'Write it as Kubernetes has it; a role is for one service account.',
          },
        ],
  );
}
