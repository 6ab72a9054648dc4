import type { Volume, VolumeMount } from './pod-spec.ts';

/**
 * The token of a pod's service account where Kubernetes puts one and clients look for it, to be mounted into one container: with
 * `automountServiceAccountToken: false` the others have none.
 */
export function serviceAccountToken(name: string): { readonly volume: Volume; readonly mount: VolumeMount } {
  return {
    volume: {
      name,
      projected: {
        sources: [
          { serviceAccountToken: { path: 'token', expirationSeconds: 3607 } },
          { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        ],
      },
    },
    mount: { name, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', readOnly: true },
  };
}
