import type { PolicyRule } from '../../rollout/guard/rollout-roles.ts';
import type { ControlPlane } from './control-plane.ts';

let accounts = 0;

/** Makes a namespace and gives its name. */
export async function newNamespace(cluster: ControlPlane, prefix: string): Promise<string> {
  const name = `${prefix}-${++accounts}`;
  await cluster.must('POST', '/api/v1/namespaces', { metadata: { name } });
  return name;
}

/** A service account with a Role of these rules and nothing else. */
export async function newAccount(
  cluster: ControlPlane,
  namespace: string,
  rules: readonly PolicyRule[],
): Promise<{ readonly name: string; readonly kubeconfig: string }> {
  const name = `account-${++accounts}`;
  const roles = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
  await cluster.must('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name } });
  await cluster.must('POST', `${roles}/roles`, { metadata: { name }, rules });
  await cluster.must('POST', `${roles}/rolebindings`, {
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
    subjects: [{ kind: 'ServiceAccount', name, namespace }],
  });
  return { name, kubeconfig: cluster.kubeconfigWith(await cluster.token(namespace, name)) };
}
