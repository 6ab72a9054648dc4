import { Construct } from 'constructs';
import { KubernetesObject } from '../kubernetes-object.ts';
import { checkLabels, checkServiceName, type Identity, labelsOf, selectorOf } from '../labels.ts';
import {
  type NetworkPolicyBody,
  networkPolicy,
  type ServiceAccountBody,
  type ServiceBody,
  type StatefulSetBody,
  service,
  serviceAccount,
  statefulSet,
} from '../native.ts';
import { Findings } from '../problem.ts';
import { bytesOf, type Memory } from '../quantity.ts';
import type { ServerProgram } from '../serving/server-program.ts';
import { servingPlan } from '../serving/serving-plan.ts';
import type { WorkloadProps } from '../serving/serving-props.ts';

export interface ChromaStoreProps
  extends Omit<WorkloadProps, 'replicas' | 'update' | 'disruption' | 'gpu' | 'sharedMemory' | 'latencyBudget'> {
  /** Chroma 1.0 or later: `chromadb/chroma`. */
  readonly image: string;
  /** Size of the volume with everything that is stored. It stays when the StatefulSet goes. */
  readonly storage: Memory;
  /** @default the cluster's */
  readonly storageClass?: string;
}

/**
 * Chroma as one pod with a volume, on port 8000. One, since it is one process with its own files: while it is updated or its node is drained, nobody
 * answers. It asks nobody who they are (Chroma 1.0 has no more authentication of its own): `clients` says who may read and write.
 */
export class ChromaStore extends Construct {
  readonly workload: KubernetesObject<StatefulSetBody>;
  readonly service: KubernetesObject<ServiceBody>;
  readonly serviceAccount: KubernetesObject<ServiceAccountBody>;
  readonly networkPolicy?: KubernetesObject<NetworkPolicyBody>;
  readonly identity: Identity;

  /** @throws ConstructError with everything that is wrong with the props */
  constructor(scope: Construct, id: string, props: ChromaStoreProps) {
    super(scope, id);
    const findings = new Findings(this, 'ChromaStore');
    const name = props.name ?? id;
    const identity: Identity = { name: 'chroma', instance: name, component: 'vector-store', partOf: props.partOf };
    const labels = { ...labelsOf(identity), ...props.labels };
    const selector = selectorOf(identity);
    checkServiceName(name, findings);
    checkLabels(labels, findings);
    findings.demand(bytesOf(props.storage) !== undefined, () => ({
      code: 'bad-quantity',
      message: 'storage is no size of a volume',
      found: props.storage,
      fix: 'Write it as 20Gi.',
    }));
    const plan = servingPlan(chroma, { ...props, replicas: 1 }, { name, labels, selector }, findings);
    findings.throwIfAny();

    const metadata = { name, labels };
    const { template } = plan.deployment.spec;
    this.identity = identity;
    this.serviceAccount = new KubernetesObject(
      this,
      'service-account',
      serviceAccount,
      { ...metadata, annotations: { ...props.serviceAccountAnnotations } },
      { automountServiceAccountToken: false },
    );
    this.workload = new KubernetesObject(this, 'stateful-set', statefulSet, metadata, {
      spec: {
        serviceName: name,
        replicas: 1,
        revisionHistoryLimit: 5,
        minReadySeconds: 10,
        updateStrategy: { type: 'RollingUpdate' },
        persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
        selector: { matchLabels: selector },
        // There is nothing to spread.
        template: { ...template, spec: { ...template.spec, topologySpreadConstraints: undefined } },
        volumeClaimTemplates: [
          {
            metadata: { name: 'data', labels: selector },
            spec: {
              accessModes: ['ReadWriteOnce'],
              storageClassName: props.storageClass,
              resources: { requests: { storage: props.storage } },
            },
          },
        ],
      },
    });
    this.service = new KubernetesObject(this, 'service', service, metadata, plan.service);
    if (plan.networkPolicy !== undefined) {
      this.networkPolicy = new KubernetesObject(this, 'network-policy', networkPolicy, metadata, plan.networkPolicy);
    }
  }
}

const chroma: ServerProgram = {
  construct: 'ChromaStore',
  name: 'chroma',
  command: ['chroma', 'run'],
  args: ['--path', '/data', '--host', '0.0.0.0', '--port', '8000'],
  env: [{ name: 'HOME', value: '/tmp' }],
  ports: [{ name: 'http', port: 8000, appProtocol: 'http' }],
  health: {
    ready: { httpGet: { path: '/api/v2/heartbeat', port: 'http' } },
    // It answers nothing while it works through a large write; only a process that is gone must be started anew.
    live: { tcpSocket: { port: 'http' } },
  },
  runAs: { user: 1000, group: 1000 },
  writable: [{ name: 'tmp', path: '/tmp', size: '256Mi' }],
  onTerminate: 'finishes',
  gpu: 'none',
  mounts: [{ name: 'data', mountPath: '/data' }],
};
