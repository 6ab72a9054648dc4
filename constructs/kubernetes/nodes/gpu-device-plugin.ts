import { Construct } from 'constructs';
import { stringify } from 'yaml';
import { configMapName } from '../config-map-name.ts';
import { KubernetesObject } from '../kubernetes-object.ts';
import { checkServiceName, labelsOf, selectorOf } from '../labels.ts';
import { type ConfigMapBody, configMap, type DaemonSetBody, daemonSet, type NetworkPolicyBody } from '../native.ts';
import { outboundPolicy } from '../outbound-policy.ts';
import { gpuResource } from '../pod/gpu.ts';
import { gpuProducts } from '../pod/gpu-products.ts';
import { Findings } from '../problem.ts';
import { agentDisk, checkAgentImage, type NodeAgentProps, nodeAgent } from './node-agent.ts';

export interface GpuDevicePluginProps extends NodeAgentProps {
  /**
   * How GPUs that were divided into MIG instances are offered: `single` as if each were a GPU (all of a node are alike), `mixed` by profile, as
   * `gpu.mig` of the servers asks for them. Dividing them is the MIG manager's or the node image's business.
   * @default 'none'
   */
  readonly mig?: 'none' | 'single' | 'mixed';
  /**
   * Several pods take turns on one GPU, without a share of memory of their own and without protection from each other. They ask for it by
   * `gpu.shared`, since the shared resource has a name of its own.
   */
  readonly timeSlicing?: {
    /** Pods on one GPU, from 2. */
    readonly replicas: number;
    /** MIG profiles that are shared, with the "mixed" strategy. @default whole GPUs */
    readonly profiles?: readonly [string, ...string[]];
  };
}

/**
 * NVIDIA's device plugin, which offers a node's GPUs to pods, with one configuration for the nodes of `nodeSelector`: use one for each kind of
 * nodes. A changed configuration is another ConfigMap, so plugins restart with it, a tenth of the nodes at a time, and a rollback finds the old
 * one. It reaches into the nodes: its namespace has to allow the Pod Security Standard "privileged".
 */
export class GpuDevicePlugin extends Construct {
  readonly workload: KubernetesObject<DaemonSetBody>;
  readonly configMap: KubernetesObject<ConfigMapBody>;
  readonly networkPolicy: KubernetesObject<NetworkPolicyBody>;

  /** @throws ConstructError with everything that is wrong with the props */
  constructor(scope: Construct, id: string, props: GpuDevicePluginProps) {
    super(scope, id);
    const { image, mig = 'none' } = props;
    const findings = new Findings(this, 'GpuDevicePlugin');
    check(id, props, findings);
    findings.throwIfAny();
    const identity = { name: 'nvidia-device-plugin', instance: id, component: 'gpu-nodes' };
    const labels = labelsOf(identity);
    const data = { 'config.yaml': stringify(configuration(props)) };
    this.configMap = new KubernetesObject(
      this,
      'config-map',
      configMap,
      { name: configMapName(id, data), labels },
      { immutable: true, data },
    );
    const divided = mig !== 'none';
    const container = {
      name: 'device-plugin',
      image,
      imagePullPolicy: 'IfNotPresent' as const,
      command: ['nvidia-device-plugin'],
      env: [
        { name: 'CONFIG_FILE', value: '/config/config.yaml' },
        { name: 'NVIDIA_VISIBLE_DEVICES', value: 'all' },
        { name: 'NVIDIA_DRIVER_CAPABILITIES', value: 'compute,utility' },
        ...(divided ? [{ name: 'NVIDIA_MIG_MONITOR_DEVICES', value: 'all' }] : []),
      ],
      resources: {
        requests: { cpu: '50m', memory: '128Mi', ...agentDisk },
        limits: { cpu: '1', memory: '512Mi', ...agentDisk },
      },
      // To see MIG instances, NVIDIA's runtime wants SYS_ADMIN; otherwise nothing beyond the kubelet's folder is needed.
      securityContext: {
        allowPrivilegeEscalation: divided,
        capabilities: { drop: ['ALL'] as const, ...(divided ? { add: ['SYS_ADMIN'] as const } : {}) },
      },
      terminationMessagePolicy: 'FallbackToLogsOnError' as const,
      volumeMounts: [
        { name: 'device-plugins', mountPath: '/var/lib/kubelet/device-plugins' },
        { name: 'config', mountPath: '/config', readOnly: true },
      ],
    };
    const volumes = [
      {
        name: 'device-plugins',
        hostPath: { path: '/var/lib/kubelet/device-plugins', type: 'Directory' as const },
      },
      { name: 'config', configMap: { name: this.configMap.name } },
    ];
    const selector = selectorOf(identity);
    const metadata = { name: id, labels };
    const body = nodeAgent(props, labels, selector, container, volumes);
    this.workload = new KubernetesObject(this, 'daemon-set', daemonSet, metadata, body);
    // It talks to the kubelet through a socket of the node, and to nobody else.
    this.networkPolicy = outboundPolicy(this, 'network-policy', metadata, { pods: selector, egress: [] });
  }
}

/** https://github.com/NVIDIA/k8s-device-plugin#configuration-option-details */
function configuration({ mig = 'none', timeSlicing }: GpuDevicePluginProps): object {
  return {
    version: 'v1',
    // On a node without GPUs it waits, and is not restarted for ever.
    flags: { migStrategy: mig, failOnInitError: false },
    ...(timeSlicing === undefined
      ? {}
      : {
          sharing: {
            timeSlicing: {
              // A pod that wants a GPU of its own never gets a shared one by mistake.
              renameByDefault: true,
              // More slices of one GPU give no more of it.
              failRequestsGreaterThanOne: true,
              resources: (
                timeSlicing.profiles?.map((profile) => gpuResource({ mig: profile })) ?? [gpuResource({})]
              ).map((name) => ({ name, replicas: timeSlicing.replicas })),
            },
          },
        }),
  };
}

function check(id: string, props: GpuDevicePluginProps, findings: Findings): void {
  const { mig = 'none', timeSlicing, nodeSelector = {} } = props;
  checkServiceName(id, findings);
  checkAgentImage(props, findings);
  if (timeSlicing === undefined) return;
  const { replicas, profiles } = timeSlicing;
  findings.demand(Number.isInteger(replicas) && replicas >= 2, () => ({
    code: 'bad-time-slicing',
    message: 'timeSlicing.replicas shares nothing',
    found: String(replicas),
    expected: 'a whole number from 2',
    fix: 'Correct it, or leave timeSlicing out.',
  }));
  findings.demand(profiles === undefined || mig === 'mixed', () => ({
    code: 'profiles-without-mixed',
    message: `timeSlicing.profiles names MIG profiles, which mig '${mig}' does not offer`,
    fix: "Set mig to 'mixed', or leave profiles out.",
  }));
  const known = new Set<string>(Object.values(gpuProducts).flatMap(({ migProfiles }) => migProfiles));
  const unknown = (profiles ?? []).filter((profile) => !known.has(profile));
  findings.demand(unknown.length === 0, () => ({
    code: 'mig-profile',
    message: 'timeSlicing.profiles has profiles that no GPU has',
    found: unknown.join(', '),
    expected: 'such as 1g.10gb',
    fix: 'Correct them.',
  }));
  if (!Object.keys(nodeSelector).some((key) => key.startsWith('karpenter.'))) return;
  findings.warn({
    code: 'slicing-with-karpenter',
    message:
      "timeSlicing on Karpenter's nodes: Karpenter counts whole GPUs and makes no node for a shared one (karpenter#729)",
    fix: 'Share the GPUs of a node group of fixed size.',
  });
}
