import { Construct } from 'constructs';
import { KubernetesObject } from '../kubernetes-object.ts';
import { checkLabels, checkServiceName, type Identity, labelsOf, selectorOf } from '../labels.ts';
import {
  type ConfigMapBody,
  configMap,
  type DeploymentBody,
  deployment,
  type NetworkPolicyBody,
  networkPolicy,
  type PodDisruptionBudgetBody,
  podDisruptionBudget,
  type ServiceAccountBody,
  type ServiceBody,
  service,
  serviceAccount,
} from '../native.ts';
import { Findings } from '../problem.ts';
import type { MetricsEndpoint, ServerProgram } from './server-program.ts';
import { servingPlan } from './serving-plan.ts';
import type { ModelIdentity, Replicas, WorkloadProps } from './serving-props.ts';

export interface ProgramDeploymentProps extends WorkloadProps {
  readonly server: ServerProgram;
  /** `app.kubernetes.io/component`: its part in the whole. */
  readonly component: string;
  /** What it serves. @default no model of its own */
  readonly model?: ModelIdentity;
}

/**
 * A server program as a Deployment with all that belongs to it: what a model server, the gateway in front of it and the servers of a platform
 * have in common.
 */
export class ProgramDeployment extends Construct {
  readonly workload: KubernetesObject<DeploymentBody>;
  readonly service: KubernetesObject<ServiceBody>;
  readonly serviceAccount: KubernetesObject<ServiceAccountBody>;
  /** Absent with one replica: it could only forbid every eviction or none. */
  readonly podDisruptionBudget?: KubernetesObject<PodDisruptionBudgetBody>;
  /** Absent: the server needs no files beside its model. */
  readonly configMap?: KubernetesObject<ConfigMapBody>;
  readonly networkPolicy?: KubernetesObject<NetworkPolicyBody>;
  /** Where Prometheus finds what the server counts; absent: it counts nothing. */
  readonly metrics?: MetricsEndpoint;
  /** Who this is, as the labels of all its objects say. */
  readonly identity: Identity;
  readonly replicas: Replicas;

  /** @throws ConstructError with everything that is wrong with the props */
  constructor(scope: Construct, id: string, { server, component, model, ...props }: ProgramDeploymentProps) {
    super(scope, id);
    const findings = new Findings(this, server.construct);
    const name = props.name ?? id;
    const identity: Identity = {
      name: server.name,
      instance: name,
      component,
      partOf: props.partOf ?? model?.name,
      model: model?.name,
      modelVersion: model?.version,
    };
    const labels = { ...labelsOf(identity), ...props.labels };
    checkServiceName(name, findings);
    checkLabels(labels, findings);
    const plan = servingPlan(server, props, { name, labels, selector: selectorOf(identity) }, findings);
    findings.throwIfAny();

    const metadata = { name, labels };
    this.identity = identity;
    this.replicas = plan.replicas;
    if (server.metrics !== undefined) this.metrics = server.metrics;
    this.serviceAccount = new KubernetesObject(
      this,
      'service-account',
      serviceAccount,
      { ...metadata, annotations: { ...props.serviceAccountAnnotations } },
      { automountServiceAccountToken: false },
    );
    if (server.configMap !== undefined) {
      const { name: configMapName, data } = server.configMap;
      const body = { immutable: true, data };
      this.configMap = new KubernetesObject(this, 'config-map', configMap, { name: configMapName, labels }, body);
    }
    this.workload = new KubernetesObject(this, 'deployment', deployment, metadata, plan.deployment);
    this.service = new KubernetesObject(this, 'service', service, metadata, plan.service);
    if (plan.podDisruptionBudget !== undefined) {
      this.podDisruptionBudget = new KubernetesObject(
        this,
        'pod-disruption-budget',
        podDisruptionBudget,
        metadata,
        plan.podDisruptionBudget,
      );
    }
    if (plan.networkPolicy !== undefined) {
      this.networkPolicy = new KubernetesObject(this, 'network-policy', networkPolicy, metadata, plan.networkPolicy);
    }
  }
}
