import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClusterAccess } from './cluster-access.ts';

/** Where a kubelet puts a pod's token, authority and namespace. */
const usualFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

export interface ServiceAccountPlace {
  /** @default where a kubelet puts it */
  readonly folder?: string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** How a pod reaches its own cluster; `undefined` outside of one. https://kubernetes.io/docs/tasks/run-application/access-api-from-pod */
export function readServiceAccount(place: ServiceAccountPlace = {}): ClusterAccess | undefined {
  const folder = place.folder ?? usualFolder;
  const environment = place.environment ?? process.env;
  const host = environment['KUBERNETES_SERVICE_HOST'];
  const port = environment['KUBERNETES_SERVICE_PORT'];
  const file = join(folder, 'token');
  if (host === undefined || host === '' || port === undefined || !existsSync(file)) return undefined;
  const optional = (name: string): string | undefined =>
    existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8').trim() : undefined;
  const ca = optional('ca.crt');
  const namespace = optional('namespace');
  return {
    server: new URL(`https://${host.includes(':') ? `[${host}]` : host}:${port}`),
    origin: "the pod's service account",
    ...(namespace === undefined ? {} : { namespace }),
    ...(ca === undefined ? {} : { ca }),
    credentials: { kind: 'token-file', file },
  };
}
