import { setTimeout as sleep } from 'node:timers/promises';
import type { PolicyRule } from '../../rollout/guard/rollout-roles.ts';
import type { ControlPlane } from './control-plane.ts';

let accounts = 0;

/** Makes a namespace, waits until pods can be made in it, and gives its name. */
export async function newNamespace(
  cluster: ControlPlane,
  prefix: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<string> {
  const name = `${prefix}-${++accounts}`;
  await cluster.must('POST', '/api/v1/namespaces', { metadata: { name, labels } });
  const account = `/api/v1/namespaces/${name}/serviceaccounts/default`;
  while ((await cluster.ask('GET', account)).status !== 200) await sleep(50);
  return name;
}

export interface Account {
  readonly name: string;
  readonly token: string;
  /** Path of a kubeconfig with the token. */
  readonly kubeconfig: string;
}

/** A service account with a Role of these rules and nothing else. */
export async function newAccount(
  cluster: ControlPlane,
  namespace: string,
  rules: readonly PolicyRule[],
): Promise<Account> {
  const name = `account-${++accounts}`;
  const roles = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
  await cluster.must('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name } });
  await cluster.must('POST', `${roles}/roles`, { metadata: { name }, rules });
  await cluster.must('POST', `${roles}/rolebindings`, {
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
    subjects: [{ kind: 'ServiceAccount', name, namespace }],
  });
  const token = await cluster.token(namespace, name);
  return { name, token, kubeconfig: cluster.kubeconfigWith(token) };
}
