import { ApiObject, type ApiObjectMetadata } from 'cdk8s';
import type { Construct } from 'constructs';
import { Findings } from './problem.ts';

/** A kind of object, and in `Body` what it holds beside its metadata. */
export interface ObjectKind<Body extends object> {
  readonly apiVersion: string;
  readonly kind: string;
  /** Objects of it are in no namespace. */
  readonly clusterScoped?: boolean;
  /** Never there: it carries the type. */
  readonly body?: Body;
}

/** What `kubectl apply` can keep of an object in its annotation, in bytes. A ConfigMap may have a MiB, when it is applied by the server. */
export const mostBytes = 262_144;

/**
 * One object, rendered as it is given. cdk8s' generated classes drop what they do not know without a word (`nvidia.com/gpu`, a preStop sleep,
 * a sidecar's restartPolicy: cdk8s#2172); a plain ApiObject keeps everything, also what `addJsonPatch` changes later.
 */
export class KubernetesObject<Body extends object> extends ApiObject {
  readonly body: Body;
  readonly #clusterScoped: boolean;

  /** @throws ConstructError when it is larger than `kubectl apply` takes */
  constructor(
    scope: Construct,
    id: string,
    { apiVersion, kind, clusterScoped = false }: ObjectKind<Body>,
    metadata: ApiObjectMetadata,
    body: Body,
  ) {
    super(scope, id, { apiVersion, kind, metadata, ...body });
    this.body = body;
    this.#clusterScoped = clusterScoped;
    const bytes = Buffer.byteLength(JSON.stringify(body));
    const findings = new Findings(this, kind);
    findings.demand(bytes < mostBytes, () => ({
      code: 'object-too-large',
      message: `the object has ${bytes} bytes; "kubectl apply" keeps at most ${mostBytes} of one`,
      fix: 'Put less into it: fewer routes, models or alerts in one construct, or texts of your own in a volume.',
    }));
    findings.throwIfAny();
  }

  /** As cdk8s renders it, without the chart's namespace where there can be none. */
  override toJson(): { readonly metadata: object } & Record<string, unknown> {
    const json = super.toJson() as { readonly metadata: Record<string, unknown> };
    if (!this.#clusterScoped) return json;
    const { namespace: _namespace, ...metadata } = json.metadata;
    return { ...json, metadata };
  }
}
