import { Construct } from 'constructs';
import { KubernetesObject } from '../kubernetes-object.ts';
import { checkServiceName, type Labels, labelsOf, selectorOf } from '../labels.ts';
import {
  type DaemonSetBody,
  daemonSet,
  type NetworkPeer,
  type NetworkPolicyBody,
  networkPolicy,
  type ServiceBody,
  service,
} from '../native.ts';
import type { Probe } from '../pod/pod-spec.ts';
import { Findings } from '../problem.ts';
import { agentDisk, checkAgentImage, type NodeAgentProps, nodeAgent } from './node-agent.ts';

export interface DcgmExporterProps extends NodeAgentProps {
  /**
   * Also count what the GPU's units do (`DCGM_FI_PROF_*`: tensor cores, memory bandwidth), which needs SYS_ADMIN on the node.
   * @default false
   */
  readonly profiling?: boolean;
  /**
   * GPUs are shared by time slicing: tell every pod on a GPU, where otherwise none is told.
   * @default false
   */
  readonly shared?: boolean;
  /** Who may read metrics. @default every pod of the namespace `monitoring` */
  readonly scrapers?: readonly NetworkPeer[];
}

/**
 * NVIDIA's DCGM exporter on every GPU node: what the GPUs do, and for which pod, on port 9400. `DcgmMonitor` has Prometheus scrape it:
 * `new DcgmMonitor(chart, 'gpu-metrics', { ...exporter.scrape, namespaces: ['gpu'] })`. It runs as root, since the kubelet tells only root which
 * pod has a GPU, and reads the node's folder: its namespace has to allow the Pod Security Standard "privileged".
 */
export class DcgmExporter extends Construct {
  readonly workload: KubernetesObject<DaemonSetBody>;
  readonly service: KubernetesObject<ServiceBody>;
  readonly networkPolicy: KubernetesObject<NetworkPolicyBody>;
  /** What `DcgmMonitor` has to know. */
  readonly scrape: { readonly selector: Labels; readonly port: string };

  /** @throws ConstructError with everything that is wrong with the props */
  constructor(scope: Construct, id: string, props: DcgmExporterProps) {
    super(scope, id);
    const { image, profiling = false, shared = false } = props;
    const findings = new Findings(this, 'DcgmExporter');
    checkServiceName(id, findings);
    checkAgentImage(props, findings);
    findings.throwIfAny();
    const identity = { name: 'dcgm-exporter', instance: id, component: 'gpu-nodes' };
    const [labels, selector] = [labelsOf(identity), selectorOf(identity)];
    const port = 'gpu-metrics';
    const health = { httpGet: { path: '/health', port } };
    const probe = (failureThreshold: number): Probe => ({
      ...health,
      periodSeconds: 10,
      timeoutSeconds: 5,
      failureThreshold,
    });
    const container = {
      name: 'exporter',
      image,
      imagePullPolicy: 'IfNotPresent' as const,
      env: [
        { name: 'DCGM_EXPORTER_LISTEN', value: ':9400' },
        { name: 'DCGM_EXPORTER_KUBERNETES', value: 'true' },
        ...(shared ? [{ name: 'KUBERNETES_VIRTUAL_GPUS', value: 'true' }] : []),
        { name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
      ],
      ports: [{ name: port, containerPort: 9400, protocol: 'TCP' as const }],
      resources: {
        requests: { cpu: '100m', memory: '256Mi', ...agentDisk },
        limits: { cpu: '1', memory: '1Gi', ...agentDisk },
      },
      // DCGM takes its time with eight GPUs: two minutes until it has to answer.
      startupProbe: probe(12),
      readinessProbe: probe(2),
      livenessProbe: probe(6),
      securityContext: {
        runAsNonRoot: false,
        runAsUser: 0,
        allowPrivilegeEscalation: profiling,
        capabilities: { drop: ['ALL'] as const, ...(profiling ? { add: ['SYS_ADMIN'] as const } : {}) },
      },
      terminationMessagePolicy: 'FallbackToLogsOnError' as const,
      volumeMounts: [{ name: 'pod-resources', mountPath: '/var/lib/kubelet/pod-resources', readOnly: true }],
    };
    const volumes = [
      { name: 'pod-resources', hostPath: { path: '/var/lib/kubelet/pod-resources', type: 'Directory' as const } },
    ];
    const metadata = { name: id, labels };
    this.scrape = { selector, port };
    this.workload = new KubernetesObject(
      this,
      'daemon-set',
      daemonSet,
      metadata,
      nodeAgent(props, labels, selector, container, volumes),
    );
    this.service = new KubernetesObject(this, 'service', service, metadata, {
      spec: { type: 'ClusterIP', selector, ports: [{ name: port, port: 9400, targetPort: port }] },
    });
    const from = props.scrapers ?? [
      { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } },
    ];
    this.networkPolicy = new KubernetesObject(this, 'network-policy', networkPolicy, metadata, {
      spec: {
        podSelector: { matchLabels: selector },
        policyTypes: ['Ingress', 'Egress'],
        ingress: [{ from, ports: [{ port, protocol: 'TCP' }] }],
        egress: [],
      },
    });
  }
}
