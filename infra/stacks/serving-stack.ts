import { CfnOutput } from 'aws-cdk-lib';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import {
  InferenceContainer,
  ModelData,
  ModelEndpoint,
  type ModelEndpointProps,
  type VariantScaling,
} from '../../constructs/aws/index.ts';
import type { Deployment } from '../config/deployment.ts';
import type { EndpointConfig } from '../config/serving-schema.ts';
import { EnvironmentStack } from './environment-stack.ts';
import type { StorageStack } from './storage-stack.ts';
import { durationOf, imageOf } from './stored.ts';

/** Endpoints that answer requests. A new model in the file is a deployment, which alarms take back. */
export class ServingStack extends EnvironmentStack {
  readonly endpoints: Readonly<Record<string, ModelEndpoint>>;

  constructor(
    scope: Construct,
    deployment: Deployment,
    storage: StorageStack,
    configs: Readonly<Record<string, EndpointConfig>>,
  ) {
    super(scope, deployment, 'serving', 'Endpoints that answer requests');
    this.endpoints = Object.fromEntries(
      Object.entries(configs).map(([name, config]) => [
        name,
        new ModelEndpoint(this, `Endpoint-${name}`, this.#props(name, storage, config)),
      ]),
    );
    for (const name of Object.keys(configs)) new CfnOutput(this, `EndpointName-${name}`, { value: name });
  }

  #props(endpointName: string, { models, images }: StorageStack, config: EndpointConfig): ModelEndpointProps {
    const { instances, scaling, deployment, p99_latency: p99, capture_percent: captured } = config;
    const { repository, tagOrDigest } = imageOf(this, `Image-${endpointName}`, config.image, images);
    const isDigest = tagOrDigest.startsWith('sha256:');
    const model = config.model.endsWith('/') ? ModelData.files : ModelData.archive;
    return {
      endpointName,
      variants: [
        {
          container: InferenceContainer.onnx({
            image: { repository, ...(isDigest ? { digest: tagOrDigest } : { tag: tagOrDigest }) },
            model: model(models, config.model),
            defaultModel: config.default_model ?? endpointName,
          }),
          instanceType: config.instance_type,
          ...(instances === undefined ? {} : { instanceCount: instances }),
          ...(scaling === undefined ? {} : { scaling: scalingOf(scaling) }),
        },
      ],
      ...(deployment === undefined
        ? {}
        : {
            deployment: {
              kind: deployment.kind,
              ...(deployment.percent === undefined ? {} : { percent: deployment.percent }),
              ...(deployment.bake === undefined ? {} : { bake: durationOf(deployment.bake) }),
            },
          }),
      ...(p99 === undefined ? {} : { alarms: { p99Latency: durationOf(p99) } }),
      ...(captured === undefined
        ? {}
        : {
            dataCapture: {
              // The CDK's own types do not know of exact optional properties.
              destination: { bucket: models.bucket as IBucket, prefix: 'captured' },
              samplingPercentage: captured,
            },
          }),
    };
  }
}

function scalingOf(scaling: NonNullable<EndpointConfig['scaling']>): VariantScaling {
  const { min, max, invocations_per_instance: invocations, concurrency_per_instance: concurrency } = scaling;
  return {
    min,
    max,
    ...(invocations === undefined ? {} : { invocationsPerInstance: invocations }),
    ...(concurrency === undefined ? {} : { concurrencyPerInstance: concurrency }),
  };
}
