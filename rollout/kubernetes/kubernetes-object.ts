import * as z from 'zod';

/** A kind of namespaced objects, as the API server's paths name it. */
export interface KubernetesKind {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  /** As in paths and roles: `virtualservices`. */
  readonly plural: string;
  /** As people write it: `VirtualService`. */
  readonly kind: string;
}

export interface ObjectName extends KubernetesKind {
  readonly namespace: string;
  readonly name: string;
}

/** What every stored object has; all else is kept as it is. */
export const kubernetesObject = z.looseObject({
  metadata: z.looseObject({
    name: z.string(),
    uid: z.string(),
    resourceVersion: z.string(),
    generation: z.int().exactOptional(),
    annotations: z.record(z.string(), z.string()).exactOptional(),
  }),
});
export type KubernetesObject = z.infer<typeof kubernetesObject>;

/** `VirtualService shop/churn`. */
export function titleOf({ kind, namespace, name }: ObjectName): string {
  return `${kind} ${namespace}/${name}`;
}

/** `virtualservices.networking.istio.io`, as roles and the API server's messages have it. */
export function resourceOf({ plural, group }: KubernetesKind): string {
  return group === '' ? plural : `${plural}.${group}`;
}

/** Names of objects and namespaces: labels and subdomains of DNS (RFC 1123). */
export const objectName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'must be small letters, digits, "-" and "."');
