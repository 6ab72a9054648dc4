import { ApiObject, type ApiObjectMetadata } from 'cdk8s';
import type { Construct } from 'constructs';

/** A kind of object, and in `Body` what it holds beside its metadata. */
export interface ObjectKind<Body extends object> {
  readonly apiVersion: string;
  readonly kind: string;
  /** Never there: it carries the type. */
  readonly body?: Body;
}

/**
 * One object, rendered as it is given. cdk8s' generated classes drop what they do not know without a word (`nvidia.com/gpu`, a preStop sleep,
 * a sidecar's restartPolicy: cdk8s#2172); a plain ApiObject keeps everything, also what `addJsonPatch` changes later.
 */
export class KubernetesObject<Body extends object> extends ApiObject {
  readonly body: Body;

  constructor(
    scope: Construct,
    id: string,
    { apiVersion, kind }: ObjectKind<Body>,
    metadata: ApiObjectMetadata,
    body: Body,
  ) {
    super(scope, id, { apiVersion, kind, metadata, ...body });
    this.body = body;
  }
}
