import type { Construct } from 'constructs';
import type { CustomKind } from '../crd/custom-resource.ts';
import { KubernetesObject } from '../kubernetes-object.ts';
import { selectorOf } from '../labels.ts';
import {
  type NetworkPolicyBody,
  networkPolicy,
  type PersistentVolumeClaimBody,
  persistentVolumeClaim,
  type ServiceAccountBody,
  serviceAccount,
} from '../native.ts';
import { type CompletionAccess, type CompletionObjects, completionHook } from './completion-hook.ts';
import type { TrainingPlan } from './training-plan.ts';
import type { TrainingProps } from './training-props.ts';

/** What stands beside the job of every training. */
export interface TrainingObjects {
  readonly serviceAccount: KubernetesObject<ServiceAccountBody>;
  /** Only pods of the training reach each other, on ports they choose themselves; they reach whom they want. */
  readonly networkPolicy?: KubernetesObject<NetworkPolicyBody>;
  /** The claim that was made for checkpoints. */
  readonly checkpoints?: KubernetesObject<PersistentVolumeClaimBody>;
  /** The Job that runs `onCompletion`. */
  readonly completion?: CompletionObjects['workload'];
  readonly completionAccess?: CompletionAccess;
}

/** `success`: the type of the condition that is true when a job of `kind` has succeeded. */
export function trainingObjects(
  scope: Construct,
  { name, labels, identity, checkpoints }: TrainingPlan,
  { serviceAccountAnnotations, networkPolicy: policy, onCompletion }: TrainingProps,
  { kind, success }: { readonly kind: CustomKind<object>; readonly success: string },
): TrainingObjects {
  const account = new KubernetesObject(
    scope,
    'service-account',
    serviceAccount,
    { name, labels, annotations: { ...serviceAccountAnnotations } },
    { automountServiceAccountToken: false },
  );
  const podSelector = { matchLabels: selectorOf(identity) };
  const claim = checkpoints?.claim;
  const watched = { name, identity, kind, success, checkpoints };
  return {
    serviceAccount: account,
    ...(policy === false
      ? {}
      : {
          networkPolicy: new KubernetesObject(
            scope,
            'network-policy',
            networkPolicy,
            { name, labels },
            {
              spec: {
                podSelector,
                policyTypes: ['Ingress', 'Egress'],
                ingress: [{ from: [{ podSelector }] }],
                // Data, models and experiments are anywhere.
                egress: [{}],
              },
            },
          ),
        }),
    ...(claim === undefined
      ? {}
      : {
          checkpoints: new KubernetesObject(
            scope,
            'checkpoints',
            persistentVolumeClaim,
            { name: claim.name, labels },
            claim.body,
          ),
        }),
    ...(onCompletion === undefined ? {} : named(completionHook(scope, onCompletion, watched))),
  };
}

function named({ workload, access }: CompletionObjects): Pick<TrainingObjects, 'completion' | 'completionAccess'> {
  return { completion: workload, completionAccess: access };
}
