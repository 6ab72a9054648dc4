import type { Construct } from 'constructs';
import type { CustomKind } from '../crd/custom-resource.ts';
import { KubernetesObject } from '../kubernetes-object.ts';
import {
  type PersistentVolumeClaimBody,
  persistentVolumeClaim,
  type ServiceAccountBody,
  serviceAccount,
} from '../native.ts';
import { type CompletionObjects, completionHook } from './completion-hook.ts';
import type { TrainingPlan } from './training-plan.ts';
import type { TrainingProps } from './training-props.ts';

/** What stands beside the job of every training. */
export interface TrainingObjects {
  readonly serviceAccount: KubernetesObject<ServiceAccountBody>;
  /** The claim that was made for checkpoints. */
  readonly checkpoints?: KubernetesObject<PersistentVolumeClaimBody>;
  /** The Job that runs `onCompletion`. */
  readonly completion?: CompletionObjects['workload'];
}

/** `success`: the type of the condition that is true when a job of `kind` has succeeded. */
export function trainingObjects(
  scope: Construct,
  { name, labels, identity, checkpoints }: TrainingPlan,
  { serviceAccountAnnotations, onCompletion }: TrainingProps,
  { kind, success }: { readonly kind: CustomKind<object>; readonly success: string },
): TrainingObjects {
  const account = new KubernetesObject(
    scope,
    'service-account',
    serviceAccount,
    { name, labels, annotations: { ...serviceAccountAnnotations } },
    { automountServiceAccountToken: false },
  );
  const claim = checkpoints?.claim;
  const watched = { name, identity, kind, success, checkpoints };
  return {
    serviceAccount: account,
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
    ...(onCompletion === undefined ? {} : { completion: completionHook(scope, onCompletion, watched).workload }),
  };
}
