import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Manifest } from '../../constructs/kubernetes/fixtures/test-chart.ts';
import { constructDefinitions } from '../constructs/definitions.ts';
import { goModule } from '../go-program.ts';
import { kubernetesVersion } from '../kubernetes/control-plane-binary.ts';
import { definitionsOf } from '../kubernetes/custom-resources.ts';

/** A schema as OpenAPI 3.0 and definitions of custom resources write it, before and after it is one of JSON. */
interface Schema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly nullable?: boolean;
  readonly allOf?: readonly Schema[];
  readonly $ref?: string;
  readonly description?: string;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-group-version-kind'?: readonly {
    readonly group: string;
    readonly version: string;
    readonly kind: string;
  }[];
}
type Schemas = Readonly<Record<string, Schema>>;

interface Definition {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly {
      readonly name: string;
      readonly schema: { readonly openAPIV3Schema: Schema };
    }[];
  };
}

const components = '#/components/schemas/';
const objectMeta = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

/** The file with the schema of a kind. The core group has none: kubeconform calls it by its version. */
export function schemaFile(group: string, version: string, kind: string): string {
  return `${group}_${version}_${kind}.json`;
}

/**
 * Writes the JSON schema of every kind of these manifests into a folder, closed: a field that is not declared is refused. Kubernetes' own are
 * those its release publishes, which are what its API server answers at /openapi/v3; the others are of the definitions the API server is
 * given in constructs.test.ts.
 */
export async function writeManifestSchemas(folder: string, manifests: readonly Manifest[]): Promise<void> {
  const published = join(await goModule(`k8s.io/kubernetes@${kubernetesVersion}`), 'api', 'openapi-spec', 'v3');
  const openapi = (name: string): Schemas | undefined => {
    const path = join(published, `${name}_openapi.json`);
    if (!existsSync(path)) return undefined;
    const document = JSON.parse(readFileSync(path, 'utf8')) as { readonly components: { readonly schemas: Schemas } };
    return document.components.schemas;
  };
  const core = openapi('api__v1') ?? {};
  const projects = await Promise.all((['istio', 'gateway-api', 'kserve', 'seldon'] as const).map(definitionsOf));
  const definitions = [...projects.flat(), ...(await constructDefinitions())] as unknown as readonly Definition[];
  const kinds = new Map(manifests.map(({ apiVersion, kind }) => [`${apiVersion} ${kind}`, { apiVersion, kind }]));
  for (const { apiVersion, kind } of kinds.values()) {
    const [group = '', version = group] = apiVersion.split('/');
    const own = apiVersion.includes('/') ? openapi(`apis__${group}__${version}`) : core;
    const root = own === undefined ? customRoot(definitions, group, version, kind) : ownRoot(own, kind);
    if (root === undefined) throw new Error(`nothing defines ${kind} of ${apiVersion}`);
    const document = closed(root, own ?? core);
    writeFileSync(join(folder, schemaFile(group, version, kind.toLowerCase())), JSON.stringify(document));
  }
}

function ownRoot(schemas: Schemas, kind: string): Schema | undefined {
  return Object.values(schemas).find((schema) =>
    schema['x-kubernetes-group-version-kind']?.some((each) => each.kind === kind),
  );
}

/** With what the API server adds to each definition. */
function customRoot(
  definitions: readonly Definition[],
  group: string,
  version: string,
  kind: string,
): Schema | undefined {
  const schema = definitions
    .find(({ spec }) => spec.group === group && spec.names.kind === kind)
    ?.spec.versions.find(({ name }) => name === version)?.schema.openAPIV3Schema;
  if (schema === undefined) return undefined;
  const added = {
    apiVersion: { type: 'string' },
    kind: { type: 'string' },
    metadata: { $ref: `${components}${objectMeta}` },
  };
  return { ...schema, properties: { ...schema.properties, ...added } };
}

/**
 * As JSON schema has it, closed, and with what it refers to in its place: kubeconform tells no more than that a reference is not kept. What
 * stands in `anyOf`, `oneOf` and `not` only adds conditions (definitions have to be structural), so it stays as it is. So does `allOf`, but for
 * the reference that OpenAPI 3.0 hides in one to say more beside it.
 */
function closed(schema: Schema, schemas: Schemas): Schema {
  const { nullable, properties, items, additionalProperties, allOf, $ref, description: _, ...rest } = schema;
  const reference = $ref ?? (allOf?.length === 1 ? allOf[0]?.$ref : undefined);
  if (reference !== undefined) return closed(schemas[reference.slice(components.length)] ?? {}, schemas);
  const open = schema['x-kubernetes-preserve-unknown-fields'] === true;
  const type = schema['x-kubernetes-int-or-string'] === true ? ['integer', 'string'] : rest.type;
  const others =
    typeof additionalProperties === 'object'
      ? closed(additionalProperties, schemas)
      : (additionalProperties ?? (properties === undefined || open ? undefined : false));
  return {
    ...rest,
    ...(allOf === undefined ? {} : { allOf }),
    ...(type === undefined ? {} : { type: nullable === true ? [type, 'null'].flat() : type }),
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.entries(properties).map(([name, each]) => [name, closed(each, schemas)]),
          ),
        }),
    ...(items === undefined ? {} : { items: closed(items, schemas) }),
    ...(others === undefined ? {} : { additionalProperties: others }),
  };
}
