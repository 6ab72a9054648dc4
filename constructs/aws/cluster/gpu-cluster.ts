import { Aws, RemovalPolicy, Size, Tags, Validations } from 'aws-cdk-lib';
import { Metric, type MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import {
  CfnSecurityGroupEgress,
  CfnSecurityGroupIngress,
  Connections,
  type IConnectable,
  type ISecurityGroup,
  type IVpc,
  Port,
  SecurityGroup,
  type SubnetSelection,
  SubnetType,
} from 'aws-cdk-lib/aws-ec2';
import { CfnAccessEntry, CfnAddon, CfnCluster, CfnNodegroup } from 'aws-cdk-lib/aws-eks';
import { Cluster as EksCluster, type ICluster, KubectlProvider } from 'aws-cdk-lib/aws-eks-v2';
import { Grant, type IGrantable, type IRole, ManagedPolicy, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import type { ILayerVersion } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct, type IDependable } from 'constructs';
import { eksMetrics } from '../../../core/telemetry/index.ts';
import { Findings } from '../../problem/index.ts';
import { architectureOf } from '../accelerators.ts';
import { logGroupArn, logsMayUseKey } from '../log-encryption.ts';
import { clusterProblems, podIdentityProblems, subnetProblems } from './cluster-problems.ts';
import { nodeTemplate } from './node-template.ts';
import { type PodIdentity, podRole } from './pod-role.ts';

export interface GpuClusterProps {
  /** Literal: Karpenter's rights and the tags that it finds subnets by are bound to it. At most 48 characters. */
  readonly clusterName: string;
  /** Of Kubernetes: `1.34`. */
  readonly version: string;
  readonly vpc: IVpc;
  /** Private ones in two zones at least, for the control plane and the nodes. @default private subnets with a way out */
  readonly subnets?: SubnetSelection;
  /** ARNs of the roles that may do everything in Kubernetes. Who deploys the stack may not, unless it is here. */
  readonly admins: readonly [string, ...string[]];
  /** From which addresses of the internet Kubernetes answers: `['203.0.113.0/24']`. @default none, it is reached from the VPC alone */
  readonly publicAccessFrom?: readonly [string, ...string[]];
  /** Encrypts Kubernetes' secrets and the control plane's logs. One of another stack has to allow CloudWatch Logs to use it. @default a key of its own, rotated every year, kept when the stack goes */
  readonly encryptionKey?: IKey;
  /** Of the control plane's logs: API, audit, authenticator, controller manager and scheduler. @default one year */
  readonly logRetention?: RetentionDays;
  /** The nodes without GPUs, for CoreDNS, Karpenter and what else serves the cluster. */
  readonly systemNodes?: SystemNodes;
  /** Besides `vpc-cni`, `kube-proxy`, `coredns`, `eks-pod-identity-agent` and `eks-node-monitoring-agent`. @default none */
  readonly addOns?: readonly ClusterAddOn[];
  /** Of add-ons, by name: `{ coredns: 'v1.12.4-eksbuild.1' }`. @default EKS's default for the cluster's version */
  readonly addOnVersions?: Readonly<Record<string, string>>;
  /** Keep a version of Kubernetes for another year after its end, at six times the price; otherwise EKS moves the cluster on. @default false */
  readonly extendedSupport?: boolean;
  /** Whether the cluster cannot be deleted, neither with its stack nor by hand. @default true */
  readonly deletionProtection?: boolean;
}

export interface SystemNodes {
  /** Of one architecture. @default ['m7i.large', 'm6i.large'] */
  readonly instanceTypes?: readonly [string, ...string[]];
  /** @default 2 */
  readonly nodes?: number;
}

export interface ClusterAddOn {
  /** As `aws eks describe-addon-versions` lists it: `aws-ebs-csi-driver`. */
  readonly name: string;
  /** The service account that its rights are for, and the role. @default it needs none */
  readonly role?: { readonly serviceAccount: string; readonly role: IRole };
  /** As the add-on's own schema has it. @default the add-on's */
  readonly configuration?: Readonly<Record<string, unknown>>;
}

/** What a role may do in Kubernetes: EKS's own policies. https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html */
export type KubernetesAccess = 'admin' | 'edit' | 'view';

/** What models are read from: `ModelBucket`. */
export interface ModelSource {
  grantRead(grantee: IGrantable, prefix?: string): Grant;
}

const accessPolicies = {
  admin: 'AmazonEKSClusterAdminPolicy',
  edit: 'AmazonEKSEditPolicy',
  view: 'AmazonEKSViewPolicy',
} as const satisfies Readonly<Record<KubernetesAccess, string>>;

/**
 * An EKS cluster for models on GPUs: reached from the VPC alone, secrets encrypted by a key of its own, every log of the control plane kept, access by
 * entries instead of a ConfigMap, pods' rights by pod identity, nodes that are repaired by themselves, and network policies that hold. Not Auto
 * Mode, which cannot share a GPU. GPUs come by `GpuNodeGroup`, or by `KarpenterAccess` with the Kubernetes constructs' `GpuNodePool`.
 *
 * ```ts
 * const cluster = new GpuCluster(this, 'Cluster', { clusterName: 'models', version: '1.34', vpc, admins: [adminRoleArn] });
 * new GpuNodeGroup(this, 'Serving', { cluster, instanceTypes: ['g6.xlarge'], maxGpus: 4, desiredNodes: 1 });
 * cluster.grantModelRead(models, { namespace: 'shop', serviceAccount: 'ranker' }, 'ranker/*');
 * ```
 */
export class GpuCluster extends Construct implements IConnectable {
  /** For what is not offered here. */
  readonly cluster: CfnCluster;
  readonly clusterName: string;
  readonly clusterArn: string;
  /** Of Kubernetes; nodes follow it. */
  readonly version: string;
  readonly vpc: IVpc;
  readonly subnets: SubnetSelection;
  readonly encryptionKey: IKey;
  readonly logGroup: LogGroup;
  /** Of the control plane; `aws:eks:cluster-name` tells of it. */
  readonly clusterSecurityGroup: ISecurityGroup;
  /** Of every node: nodes reach each other by every protocol, as the fabric adapters of training want it. Karpenter finds it by its tag. */
  readonly nodeSecurityGroup: SecurityGroup;
  /** Of managed nodes. */
  readonly nodeRole: Role;
  /** Kubernetes' API: `cluster.connections.allowDefaultPortFrom(bastion)`. */
  readonly connections: Connections;
  /** What nodes need to be ready: pods' network, and their rights. */
  readonly networkReady: readonly IDependable[];
  readonly systemNodes: CfnNodegroup;
  readonly #entries = new Map<string, CfnAccessEntry>();
  readonly #podRoles = new Map<string, Role>();

  /** @throws ConstructError with everything that is wrong with the props */
  constructor(scope: Construct, id: string, props: GpuClusterProps) {
    super(scope, id);
    const { clusterName, version, vpc, publicAccessFrom, addOns = [], addOnVersions = {} } = props;
    this.subnets = props.subnets ?? { subnetType: SubnetType.PRIVATE_WITH_EGRESS };
    const findings = new Findings(this, 'GpuCluster');
    findings.add(...clusterProblems(props), ...subnetProblems(vpc, this.subnets, 2));
    findings.throwIfAny();
    this.vpc = vpc;
    this.version = version;
    const subnets = vpc.selectSubnets(this.subnets);
    const logGroupName = `/aws/eks/${clusterName}/cluster`;
    this.encryptionKey = props.encryptionKey ?? this.#key(logGroupName);
    this.logGroup = new LogGroup(this, 'Logs', {
      logGroupName,
      encryptionKey: this.encryptionKey,
      retention: props.logRetention ?? RetentionDays.ONE_YEAR,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('eks.amazonaws.com'),
      description: `Control plane of ${clusterName}`,
      managedPolicies: [ManagedPolicy.fromAwsManagedPolicyName('AmazonEKSClusterPolicy')],
    });
    const keyUse = this.encryptionKey.grant(role, 'kms:Encrypt', 'kms:Decrypt', 'kms:DescribeKey', 'kms:CreateGrant');
    this.cluster = new CfnCluster(this, 'Resource', {
      name: clusterName,
      version,
      roleArn: role.roleArn,
      resourcesVpcConfig: {
        subnetIds: subnets.subnetIds,
        endpointPrivateAccess: true,
        endpointPublicAccess: publicAccessFrom !== undefined,
        ...(publicAccessFrom === undefined ? {} : { publicAccessCidrs: [...publicAccessFrom] }),
      },
      accessConfig: { authenticationMode: 'API', bootstrapClusterCreatorAdminPermissions: false },
      encryptionConfig: [{ provider: { keyArn: this.encryptionKey.keyArn }, resources: ['secrets'] }],
      logging: {
        clusterLogging: {
          enabledTypes: ['api', 'audit', 'authenticator', 'controllerManager', 'scheduler'].map((type) => ({ type })),
        },
      },
      // The add-ons below take their places, and can be brought up to date.
      bootstrapSelfManagedAddons: false,
      upgradePolicy: { supportType: props.extendedSupport === true ? 'EXTENDED' : 'STANDARD' },
      deletionProtection: props.deletionProtection ?? true,
    });
    Validations.of(this.cluster).acknowledge({
      id: 'CloudFormation-Validate::W9009',
      reason:
        'Rules about EKS look for the resources that are encrypted, which newer clusters no longer need to be told.',
    });
    this.cluster.node.addDependency(this.logGroup);
    keyUse.applyBefore(this.cluster);
    this.clusterName = clusterName;
    this.clusterArn = this.cluster.attrArn;
    this.clusterSecurityGroup = SecurityGroup.fromSecurityGroupId(
      this,
      'ControlPlane',
      this.cluster.attrClusterSecurityGroupId,
    );
    this.connections = new Connections({
      securityGroups: [this.clusterSecurityGroup],
      defaultPort: Port.tcp(443),
    });
    this.nodeSecurityGroup = this.#nodeSecurityGroup();
    this.nodeRole = new Role(this, 'NodeRole', {
      assumedBy: new ServicePrincipal('ec2.amazonaws.com'),
      description: `Managed nodes of ${clusterName}`,
      // The rights of the pods' network are the pod's own: see vpc-cni below.
      managedPolicies: nodePolicies(),
    });
    for (const arn of props.admins) this.#allow(arn, 'admin');
    const addOn = (name: string, options: Omit<ClusterAddOn, 'name'> = {}): CfnAddon =>
      this.#addOn({ ...options, name }, addOnVersions[name]);
    const network = podRole(this, 'Network', {
      cluster: this.cluster,
      namespace: 'kube-system',
      serviceAccount: 'aws-node',
      associate: false,
    });
    network.addManagedPolicy(ManagedPolicy.fromAwsManagedPolicyName('AmazonEKS_CNI_Policy'));
    this.networkReady = [
      addOn('eks-pod-identity-agent'),
      addOn('kube-proxy'),
      addOn('vpc-cni', {
        role: { serviceAccount: 'aws-node', role: network },
        // Without it a NetworkPolicy is taken and holds nothing back.
        configuration: { enableNetworkPolicy: 'true' },
      }),
    ];
    this.systemNodes = this.#systemNodes(props.systemNodes ?? {}, subnets.subnetIds);
    // These are no sooner ready than there is a node for them.
    for (const further of [{ name: 'coredns' }, { name: 'eks-node-monitoring-agent' }, ...addOns]) {
      addOn(further.name, further).addResourceDependency(this.systemNodes);
    }
    // Of subnets from elsewhere the tags are their owner's.
    for (const subnet of subnets.subnets) Tags.of(subnet).add('karpenter.sh/discovery', clusterName);
  }

  /**
   * The role of the pods of one service account, made and associated when it is first asked for. It may do nothing until something is granted to it.
   * @throws ConstructError for names that Kubernetes does not take
   */
  podRole(identity: PodIdentity): Role {
    const { namespace, serviceAccount } = identity;
    const findings = new Findings(this, 'GpuCluster');
    findings.add(...podIdentityProblems(identity));
    findings.throwIfAny();
    const key = `${namespace}/${serviceAccount}`;
    const made = this.#podRoles.get(key) ?? podRole(this, `Pods-${key}`, { cluster: this.cluster, ...identity });
    this.#podRoles.set(key, made);
    return made;
  }

  /**
   * Lets the pods of a service account fetch models: what the Kubernetes constructs' `fetch-model` containers need, for files below `prefix`
   * (`ranker/*`), and no key or secret in Kubernetes.
   * @throws ConstructError for names that Kubernetes does not take
   */
  grantModelRead(models: ModelSource, pods: PodIdentity, prefix = '*'): Grant {
    return models.grantRead(this.podRole(pods), prefix);
  }

  /**
   * Lets a role into Kubernetes, everywhere or in some namespaces, and look up the cluster's address as `aws eks update-kubeconfig` does.
   */
  grantAccess(
    grantee: IGrantable & { readonly roleArn: string },
    access: KubernetesAccess,
    namespaces?: readonly string[],
  ): Grant {
    this.#allow(grantee.roleArn, access, namespaces);
    return this.grantDescribe(grantee);
  }

  /** Lets look up the cluster's address and certificate. */
  grantDescribe(grantee: IGrantable): Grant {
    return Grant.addToPrincipal({ grantee, actions: ['eks:DescribeCluster'], resourceArns: [this.clusterArn] });
  }

  /**
   * The cluster as the CDK's own `ICluster`, for deployments that also apply manifests, such as the device plugin: `addCdk8sChart('gpu', chart)` takes
   * a chart of the Kubernetes constructs. It makes a Lambda function of the CDK's in the private subnets, which may do everything in Kubernetes;
   * without it, synthesize the chart and `kubectl apply` what comes out.
   * @param layer with kubectl of the cluster's version: `new KubectlV34Layer(this, 'kubectl')` of `@aws-cdk/lambda-layer-kubectl-v34`
   */
  withKubectl(layer: ILayerVersion): ICluster {
    const attributes = {
      clusterName: this.cluster.ref,
      vpc: this.vpc,
      clusterSecurityGroupId: this.cluster.attrClusterSecurityGroupId,
    };
    const kubectlProvider = new KubectlProvider(this, 'Kubectl', {
      cluster: EksCluster.fromClusterAttributes(this, 'Reached', attributes),
      kubectlLayer: layer,
      privateSubnets: this.vpc.selectSubnets(this.subnets).subnets,
    });
    const cluster = EksCluster.fromClusterAttributes(this, 'Applied', { ...attributes, kubectlProvider });
    const { role } = kubectlProvider;
    if (role !== undefined) cluster.node.addDependency(this.#allow(role.roleArn, 'admin'));
    // Whatever is applied wants to run.
    cluster.node.addDependency(this.systemNodes);
    return cluster;
  }

  /** A metric of the control plane: https://docs.aws.amazon.com/eks/latest/userguide/cloudwatch.html */
  metric(metricName: string, options: MetricOptions = {}): Metric {
    return new Metric({
      namespace: eksMetrics.pendingPods.namespace,
      metricName,
      dimensionsMap: { ClusterName: this.clusterName },
      ...options,
    });
  }

  /** Pods that no node has room for: with GPUs, a queue. */
  metricUnschedulablePods(options: MetricOptions = {}): Metric {
    return this.metric(eksMetrics.unschedulablePods.name, { statistic: 'Maximum', ...options });
  }

  /** Requests that Kubernetes' API answered with 5xx. */
  metricServerErrors(options: MetricOptions = {}): Metric {
    return this.metric(eksMetrics.serverErrors.name, { statistic: 'Sum', ...options });
  }

  #key(logGroupName: string): Key {
    const key = new Key(this, 'Key', {
      enableKeyRotation: true,
      description: `Secrets and logs of ${this.node.path}`,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    key.addToResourcePolicy(logsMayUseKey(this, logGroupArn(this, logGroupName)));
    return key;
  }

  #nodeSecurityGroup(): SecurityGroup {
    const group = new SecurityGroup(this, 'Nodes', {
      vpc: this.vpc,
      description: `Nodes of ${this.clusterName}`,
      allowAllOutbound: true,
    });
    Tags.of(group).add('karpenter.sh/discovery', this.clusterName);
    const nodes = group.securityGroupId;
    const controlPlane = this.cluster.attrClusterSecurityGroupId;
    // A fabric adapter wants the group itself named in both directions: an address is not enough.
    // https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/efa-start.html
    new CfnSecurityGroupIngress(this, 'NodesFromNodes', {
      groupId: nodes,
      sourceSecurityGroupId: nodes,
      ipProtocol: '-1',
      description: 'Between nodes',
    });
    new CfnSecurityGroupEgress(this, 'NodesToNodes', {
      groupId: nodes,
      destinationSecurityGroupId: nodes,
      ipProtocol: '-1',
      description: 'Between nodes',
    });
    new CfnSecurityGroupIngress(this, 'NodesFromControlPlane', {
      groupId: nodes,
      sourceSecurityGroupId: controlPlane,
      ipProtocol: '-1',
      description: 'Kubelets, webhooks and extended APIs',
    });
    new CfnSecurityGroupIngress(this, 'ControlPlaneFromNodes', {
      groupId: controlPlane,
      sourceSecurityGroupId: nodes,
      ipProtocol: 'tcp',
      fromPort: 443,
      toPort: 443,
      description: 'Kubernetes from nodes',
    });
    return group;
  }

  #addOn({ name, role, configuration }: ClusterAddOn, version: string | undefined): CfnAddon {
    return new CfnAddon(this, `AddOn-${name}`, {
      clusterName: this.cluster.ref,
      addonName: name,
      resolveConflicts: 'OVERWRITE',
      ...(version === undefined ? {} : { addonVersion: version }),
      ...(role === undefined
        ? {}
        : { podIdentityAssociations: [{ roleArn: role.role.roleArn, serviceAccount: role.serviceAccount }] }),
      ...(configuration === undefined ? {} : { configurationValues: JSON.stringify(configuration) }),
    });
  }

  #systemNodes(
    { instanceTypes = ['m7i.large', 'm6i.large'], nodes = 2 }: SystemNodes,
    subnets: readonly string[],
  ): CfnNodegroup {
    const template = nodeTemplate(this, 'SystemNodeTemplate', {
      system: 'al2023',
      disk: Size.gibibytes(50),
      securityGroupIds: [this.nodeSecurityGroup.securityGroupId],
      localDisks: false,
      tags: { Name: `${this.clusterName}-system` },
    });
    const [first] = instanceTypes;
    const group = new CfnNodegroup(this, 'SystemNodes', {
      clusterName: this.cluster.ref,
      version: this.version,
      nodeRole: this.nodeRole.roleArn,
      subnets: [...subnets],
      instanceTypes: [...instanceTypes],
      amiType: architectureOf(first) === 'arm64' ? 'AL2023_ARM_64_STANDARD' : 'AL2023_x86_64_STANDARD',
      scalingConfig: { minSize: nodes, desiredSize: nodes, maxSize: nodes + 1 },
      updateConfig: { maxUnavailable: 1 },
      nodeRepairConfig: { enabled: true },
      launchTemplate: { id: template.ref, version: template.attrLatestVersionNumber },
      labels: { 'sluice.dev/node-pool': 'system' },
    });
    group.node.addDependency(...this.networkReady);
    return group;
  }

  /** EKS takes one entry for a role: what it may do is gathered there. */
  #allow(roleArn: string, access: KubernetesAccess, namespaces?: readonly string[]): CfnAccessEntry {
    const policy: CfnAccessEntry.AccessPolicyProperty = {
      policyArn: `arn:${Aws.PARTITION}:eks::aws:cluster-access-policy/${accessPolicies[access]}`,
      accessScope: namespaces === undefined ? { type: 'cluster' } : { type: 'namespace', namespaces: [...namespaces] },
    };
    const there = this.#entries.get(roleArn);
    if (there !== undefined) {
      there.accessPolicies = [...((there.accessPolicies as CfnAccessEntry.AccessPolicyProperty[]) ?? []), policy];
      return there;
    }
    const entry = new CfnAccessEntry(this, `Access${this.#entries.size + 1}`, {
      clusterName: this.cluster.ref,
      principalArn: roleArn,
      accessPolicies: [policy],
    });
    this.#entries.set(roleArn, entry);
    return entry;
  }
}

/** What EKS wants of a node's role: https://docs.aws.amazon.com/eks/latest/userguide/create-node-role.html */
export function nodePolicies(): ReturnType<typeof ManagedPolicy.fromAwsManagedPolicyName>[] {
  return ['AmazonEKSWorkerNodePolicy', 'AmazonEC2ContainerRegistryPullOnly'].map((name) =>
    ManagedPolicy.fromAwsManagedPolicyName(name),
  );
}
