import type { EndpointConfig, ScalingConfig } from './serving-schema.ts';

/** A model of an endpoint with all that it has, be it its own or the endpoint's. What is missing is wrong: `servingContradictions` tells it. */
export interface ServedVariant {
  /** Nothing of an endpoint's only variant, which SageMaker's own tools name as it is named here. */
  readonly name: string | undefined;
  /** Where the file has it, below the endpoint. */
  readonly path: readonly string[];
  readonly image: string | undefined;
  readonly model: string | undefined;
  readonly defaultModel: string;
  readonly instanceType: string | undefined;
  readonly instances: number | undefined;
  readonly scaling: ScalingConfig | undefined;
  readonly weight: number | undefined;
}

/** The models that share the requests of an endpoint: one, or as many as it has variants. */
export function servedVariants(endpointName: string, config: EndpointConfig): readonly ServedVariant[] {
  const { variants } = config;
  if (variants === undefined) return [ofEndpoint(endpointName, config, undefined, [])];
  return Object.entries(variants).map(([name, own]) => ({
    ...ofEndpoint(endpointName, config, name, ['variants', name]),
    ...given(own),
    scaling: own.scaling ?? config.scaling,
    weight: own.weight,
  }));
}

/** The model beside them whose answers nobody sees, where there is one. */
export function shadowOf(endpointName: string, config: EndpointConfig): ServedVariant | undefined {
  const { shadow } = config;
  if (shadow === undefined) return undefined;
  return {
    ...ofEndpoint(endpointName, config, 'Shadow', ['shadow']),
    ...given(shadow),
    scaling: undefined,
    weight: undefined,
  };
}

function ofEndpoint(
  endpointName: string,
  config: EndpointConfig,
  name: string | undefined,
  path: readonly string[],
): ServedVariant {
  return {
    name,
    path,
    image: config.image,
    model: config.model,
    defaultModel: config.default_model ?? endpointName,
    instanceType: config.instance_type,
    instances: config.instances,
    scaling: config.scaling,
    weight: undefined,
  };
}

/** What a variant says itself. */
function given(own: {
  readonly model: string;
  readonly image?: string | undefined;
  readonly default_model?: string | undefined;
  readonly instance_type?: string | undefined;
  readonly instances?: number | undefined;
}): Partial<ServedVariant> {
  const { model, image, default_model: defaultModel, instance_type: instanceType, instances } = own;
  return {
    model,
    ...(image === undefined ? {} : { image }),
    ...(defaultModel === undefined ? {} : { defaultModel }),
    ...(instanceType === undefined ? {} : { instanceType }),
    ...(instances === undefined ? {} : { instances }),
  };
}
