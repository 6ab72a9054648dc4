import type { Construct } from 'constructs';
import type { CustomKind } from '../crd/custom-resource.ts';
import { KubernetesObject } from '../kubernetes-object.ts';
import { type Identity, labelsOf, selectorOf } from '../labels.ts';
import {
  type JobBody,
  job,
  type NetworkPolicyBody,
  type PolicyRule,
  type RoleBindingBody,
  role,
  roleBinding,
  type ServiceAccountBody,
  serviceAccount,
} from '../native.ts';
import { outboundPolicy } from '../outbound-policy.ts';
import { imageProblems } from '../pod/image.ts';
import { fetchImages } from '../pod/model-fetch.ts';
import { type EnvVar, literal } from '../pod/pod-spec.ts';
import { containerSecurity, podSecurity } from '../pod/security.ts';
import { serviceAccountToken } from '../pod/service-account-token.ts';
import type { ConstructProblem } from '../problem.ts';
import { bytesOf, type Cpu, coresOf, cpuText, type Memory, memoryOf } from '../quantity.ts';
import type { CheckpointPlan } from './checkpoints.ts';

/** What is done once a training has succeeded: export the model, register it, start its evaluation. */
export interface CompletionHook {
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  /** Besides `TRAINING_JOB`, `MODEL_NAME`, `MODEL_VERSION` and, with `readsCheckpoints`, `CHECKPOINT_DIR`. */
  readonly env?: readonly EnvVar[];
  /** @default 500m */
  readonly cpu?: Cpu;
  /** @default 1Gi */
  readonly memory?: Memory;
  /**
   * Mount the checkpoints, read-only.
   * @default false
   */
  readonly readsCheckpoints?: boolean;
  /**
   * Has sh and curl: asks the API server how the training is.
   * @default `fetchImages.http`
   */
  readonly waitImage?: string;
}

/** The training that is waited for. */
export interface WatchedJob {
  readonly name: string;
  readonly identity: Identity;
  readonly kind: CustomKind<object>;
  /** The type of its condition that is true when it has succeeded. */
  readonly success: string;
  readonly checkpoints?: CheckpointPlan | undefined;
}

/** What the Job after a training may do, and whom it may reach. */
export interface CompletionAccess {
  readonly serviceAccount: KubernetesObject<ServiceAccountBody>;
  readonly role: KubernetesObject<{ readonly rules: readonly PolicyRule[] }>;
  readonly roleBinding: KubernetesObject<RoleBindingBody>;
  readonly networkPolicy: KubernetesObject<NetworkPolicyBody>;
}

export interface CompletionObjects {
  readonly workload: KubernetesObject<JobBody>;
  readonly access: CompletionAccess;
}

/** What could not work. */
export function completionProblems(
  hook: CompletionHook,
  checkpoints: CheckpointPlan | undefined,
  allowMutableImage: boolean,
): readonly ConstructProblem[] {
  const problems: ConstructProblem[] = [
    ...imageProblems(hook.image, 'onCompletion.image', allowMutableImage),
    ...(hook.waitImage === undefined ? [] : imageProblems(hook.waitImage, 'onCompletion.waitImage', allowMutableImage)),
  ];
  const { cpu = 1, memory = '1Gi' } = hook;
  if (coresOf(cpu) === undefined || bytesOf(memory) === undefined) {
    problems.push({
      code: 'bad-quantity',
      message: 'onCompletion asks for no amount of cpu or memory',
      found: `${cpu}, ${memory}`,
      expected: 'such as 500m and 1Gi',
      fix: 'Correct it.',
    });
  }
  if (hook.readsCheckpoints !== true) return problems;
  if (checkpoints === undefined) {
    const message = 'onCompletion.readsCheckpoints is set and there are no checkpoints';
    return [...problems, { code: 'no-checkpoints', message, fix: 'Set checkpoints, or leave it out.' }];
  }
  if (!checkpoints.oneNode) return problems;
  return [
    ...problems,
    {
      code: 'checkpoints-held',
      message:
        'onCompletion.readsCheckpoints waits with the volume of checkpoints in hand, which only one node at a time may have: the training could not start',
      fix: "Set checkpoints.access to 'ReadWriteMany' with a storageClass that can, or let the hook read what the training exported.",
    },
  ];
}

/** What the hook may write beside checkpoints. */
const scratch: Memory = '1Gi';

const token = serviceAccountToken('token');

/** The exit code that says: the training failed, and asking again changes nothing. */
const trainingFailed = 42;

/**
 * A Job whose pod waits until the training has succeeded and then runs the hook; when the training failed, it fails at once and says so. Its
 * service account may read this one training and nothing else. The hook is retried twice; the training is not run again for it.
 */
export function completionHook(scope: Construct, hook: CompletionHook, watched: WatchedJob): CompletionObjects {
  const { kind, identity, success } = watched;
  const name = `${watched.name}-completion`;
  const own = { ...identity, instance: name, component: 'training-completion' };
  const labels = labelsOf(own);
  const metadata = { name, labels };
  const [plural = '', ...group] = kind.definition.split('.');
  const account = new KubernetesObject(scope, 'completion-service-account', serviceAccount, metadata, {
    automountServiceAccountToken: false,
  });
  const rules = [{ apiGroups: [group.join('.')], resources: [plural], resourceNames: [watched.name], verbs: ['get'] }];
  const ownRole = new KubernetesObject(scope, 'completion-role', role, metadata, { rules });
  const binding = new KubernetesObject(scope, 'completion-role-binding', roleBinding, metadata, {
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
    subjects: [{ kind: 'ServiceAccount', name }],
  });
  const checkpoints = hook.readsCheckpoints === true ? watched.checkpoints : undefined;
  // Nobody asks it anything. Whom the hook asks is the user's business.
  const policy = outboundPolicy(scope, 'completion-network-policy', metadata, { pods: selectorOf(own), egress: [{}] });
  const small = { cpu: '50m', memory: '64Mi', 'ephemeral-storage': '64Mi' };
  const large = {
    cpu: cpuText(hook.cpu ?? '500m'),
    memory: hook.memory ?? '1Gi',
    'ephemeral-storage': memoryOf((bytesOf(scratch) ?? 0) + 64 * 2 ** 20),
  };
  const value = (key: string, text: string | undefined): readonly EnvVar[] =>
    text === undefined ? [] : [{ name: key, value: literal(text) }];
  const workload = new KubernetesObject(scope, 'completion-job', job, metadata, {
    spec: {
      backoffLimit: 2,
      ttlSecondsAfterFinished: 7 * 24 * 3600,
      podFailurePolicy: {
        rules: [
          {
            action: 'FailJob',
            onExitCodes: { containerName: 'wait-for-training', operator: 'In', values: [trainingFailed] },
          },
        ],
      },
      template: {
        metadata: { labels },
        spec: {
          restartPolicy: 'Never',
          serviceAccountName: name,
          // What waits has one, and the user's program has none.
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          securityContext: podSecurity({ user: 1000, group: 1000 }),
          initContainers: [
            {
              name: 'wait-for-training',
              image: hook.waitImage ?? fetchImages.http,
              imagePullPolicy: 'IfNotPresent',
              command: ['/bin/sh', '-euc', waitScript],
              env: [
                { name: 'POD_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
                { name: 'GROUP_VERSION', value: kind.apiVersion },
                { name: 'PLURAL', value: plural },
                { name: 'TRAINING_JOB', value: watched.name },
                { name: 'SUCCESS', value: success },
                { name: 'TRAINING_FAILED', value: String(trainingFailed) },
                { name: 'PAUSE', value: '15' },
              ],
              resources: { requests: small, limits: small },
              securityContext: containerSecurity,
              terminationMessagePolicy: 'FallbackToLogsOnError',
              volumeMounts: [token.mount],
            },
          ],
          containers: [
            {
              name: 'hook',
              image: hook.image,
              imagePullPolicy: 'IfNotPresent',
              command: hook.command,
              args: hook.args,
              env: [
                ...value('TRAINING_JOB', watched.name),
                ...value('MODEL_NAME', identity.model),
                ...value('MODEL_VERSION', identity.modelVersion),
                ...value('CHECKPOINT_DIR', checkpoints?.path),
                ...value('HOME', '/tmp'),
                ...(hook.env ?? []),
              ],
              resources: { requests: large, limits: large },
              securityContext: containerSecurity,
              terminationMessagePolicy: 'FallbackToLogsOnError',
              volumeMounts: [
                { name: 'tmp', mountPath: '/tmp' },
                ...(checkpoints === undefined ? [] : [{ ...checkpoints.mount, readOnly: true }]),
              ],
            },
          ],
          volumes: [
            { name: 'tmp', emptyDir: { sizeLimit: scratch } },
            token.volume,
            ...(checkpoints === undefined ? [] : [checkpoints.volume]),
          ],
        },
      },
    },
  });
  return { workload, access: { serviceAccount: account, role: ownRole, roleBinding: binding, networkPolicy: policy } };
}

/**
 * Each condition of a job's status is a flat object: cut at braces, it is a line. The quotes of a message are escaped, so no message reads as
 * a condition. An answer that is none (the API server restarts, the job is not there yet) is asked for again.
 */
export const waitScript = `account=/var/run/secrets/kubernetes.io/serviceaccount
url="https://kubernetes.default.svc/apis/$GROUP_VERSION/namespaces/$POD_NAMESPACE/$PLURAL/$TRAINING_JOB"
while :; do
  if job="$(printf 'Authorization: Bearer %s\\n' "$(cat "$account/token")" |
    curl --fail --silent --show-error --max-time 30 --cacert "$account/ca.crt" --header @- -- "$url")"; then
    held="$(printf '%s' "$job" | tr -d '\\n' | tr '{}' '\\n\\n' | grep -E '"status": *"True"' || :)"
    if printf '%s\\n' "$held" | grep -qE "\\"type\\": *\\"$SUCCESS\\""; then echo "$TRAINING_JOB has succeeded"; exit 0; fi
    if printf '%s\\n' "$held" | grep -qE '"type": *"Failed"'; then
      echo "$TRAINING_JOB has failed, so nothing is done after it. Look at its events, then apply both anew." >&2
      exit "$TRAINING_FAILED"
    fi
  fi
  sleep "$PAUSE"
done`;
