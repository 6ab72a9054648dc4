import type { ApiObjectMetadata } from 'cdk8s';
import type { Construct } from 'constructs';
import { KubernetesObject, type ObjectKind } from '../kubernetes-object.ts';

/** A kind of custom resource: where it is defined, and in `Spec` the fields we emit. */
export interface CustomKind<Spec extends object> extends ObjectKind<{ readonly spec: Spec }> {
  /** Plural and group, as the definition is called: `scaledobjects.keda.sh`. */
  readonly definition: string;
}

export interface CustomResourceProps<Spec extends object> {
  readonly metadata: ApiObjectMetadata;
  readonly spec: Spec;
  /** Fields of the kind that `Spec` does not name: over `spec`, field by field, lists whole. */
  readonly extra?: Readonly<Record<string, unknown>> | undefined;
}

/** An object of a custom resource definition. The definitions' real schemas are held against every object in `testbed/constructs.test.ts`. */
export class CustomResource<Spec extends object> extends KubernetesObject<{ readonly spec: Spec }> {
  constructor(
    scope: Construct,
    id: string,
    kind: CustomKind<Spec>,
    { metadata, spec, extra }: CustomResourceProps<Spec>,
  ) {
    super(scope, id, kind, metadata, { spec: extra === undefined ? spec : (merged(spec, extra) as Spec) });
  }
}

/** Declares a kind: `customKind<ScaledObjectSpec>('keda.sh/v1alpha1', 'ScaledObject', 'scaledobjects.keda.sh')`. */
export function customKind<Spec extends object>(
  apiVersion: string,
  kind: string,
  definition: string,
  clusterScoped = false,
): CustomKind<Spec> {
  return { apiVersion, kind, definition, clusterScoped };
}

function merged(under: object, over: object): object {
  const result: Record<string, unknown> = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const old = result[key];
    result[key] = isPlain(old) && isPlain(value) ? merged(old, value) : value;
  }
  return result;
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
