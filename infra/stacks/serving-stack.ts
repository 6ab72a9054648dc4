import { CfnOutput } from 'aws-cdk-lib';
import type { IVpc } from 'aws-cdk-lib/aws-ec2';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import {
  type AsynchronousServing,
  type EndpointAlarms,
  type EndpointVariant,
  InferenceContainer,
  ModelData,
  ModelEndpoint,
  type ModelEndpointProps,
  qualityMetric,
  type VariantScaling,
} from '../../constructs/aws/index.ts';
import type { Deployment } from '../config/deployment.ts';
import { type ServedVariant, servedVariants, shadowOf } from '../config/served-variants.ts';
import type { EndpointConfig, ScalingConfig } from '../config/serving-schema.ts';
import { EnvironmentStack } from './environment-stack.ts';
import { existingNetwork } from './existing-network.ts';
import type { StorageStack } from './storage-stack.ts';
import { durationOf, folderOf, imageOf, inferenceImage } from './stored.ts';

/** Endpoints that answer requests. A new model in the file is a deployment, which alarms take back. */
export class ServingStack extends EnvironmentStack {
  readonly endpoints: Readonly<Record<string, ModelEndpoint>>;
  readonly #storage: StorageStack;
  readonly #vpc: IVpc | undefined;

  constructor(
    scope: Construct,
    deployment: Deployment,
    storage: StorageStack,
    configs: Readonly<Record<string, EndpointConfig>>,
  ) {
    super(scope, deployment, 'serving', 'Endpoints that answer requests');
    const { network } = deployment.environment;
    const inNetwork = Object.values(configs).some((config) => config.in_network === true);
    this.#storage = storage;
    this.#vpc = network !== undefined && inNetwork ? existingNetwork(this, network) : undefined;
    this.endpoints = Object.fromEntries(
      Object.entries(configs).map(([name, config]) => [
        name,
        new ModelEndpoint(this, `Endpoint-${name}`, this.#props(name, config)),
      ]),
    );
    for (const name of Object.keys(configs)) new CfnOutput(this, `EndpointName-${name}`, { value: name });
  }

  #props(endpointName: string, config: EndpointConfig): ModelEndpointProps {
    const { deployment, capture_percent: captured, asynchronous, weights, serverless } = config;
    const vpc = config.in_network === true ? this.#vpc : undefined;
    const [first, ...others] = servedVariants(endpointName, config);
    if (first === undefined) throw new Error(`${endpointName} has no variants, which the schema lets nobody write`);
    const variant = (one: ServedVariant) => this.#variant(endpointName, one, serverless);
    const shadow = shadowOf(endpointName, config);
    const alarms = alarmsOf(endpointName, config);
    return {
      endpointName,
      variants: [variant(first), ...others.map(variant)],
      ...(weights === undefined ? {} : { weights }),
      ...(shadow === undefined || config.shadow === undefined
        ? {}
        : { shadow: { ...variant(shadow), name: 'Shadow', share: config.shadow.percent / 100 } }),
      ...(asynchronous === undefined ? {} : { asynchronous: this.#asynchronous(endpointName, asynchronous) }),
      ...(deployment === undefined
        ? {}
        : {
            deployment: {
              kind: deployment.kind,
              ...(deployment.percent === undefined ? {} : { percent: deployment.percent }),
              ...(deployment.bake === undefined ? {} : { bake: durationOf(deployment.bake) }),
            },
          }),
      ...(alarms === undefined ? {} : { alarms }),
      ...(captured === undefined
        ? {}
        : {
            dataCapture: {
              // The CDK's own types do not know of exact optional properties.
              destination: { bucket: this.#storage.models.bucket as IBucket, prefix: 'captured' },
              samplingPercentage: captured,
            },
          }),
      ...(vpc === undefined ? {} : { vpc }),
    };
  }

  #variant(endpointName: string, served: ServedVariant, serverless: EndpointConfig['serverless']): EndpointVariant {
    const { name, image = '', model: key = '', defaultModel, instanceType, instances, scaling, weight } = served;
    const { models, images } = this.#storage;
    const id = ['Image', endpointName, ...(name === undefined ? [] : [name])].join('-');
    const model = key.endsWith('/') ? ModelData.files : ModelData.archive;
    return {
      ...(name === undefined ? {} : { name }),
      container: InferenceContainer.onnx({
        image: inferenceImage(imageOf(this, id, image, images)),
        model: model(models, key),
        defaultModel,
      }),
      ...(serverless === undefined
        ? {}
        : {
            serverless: {
              memoryMb: serverless.memory_mb,
              maxConcurrency: serverless.max_concurrency,
              ...(serverless.provisioned_concurrency === undefined
                ? {}
                : { provisionedConcurrency: serverless.provisioned_concurrency }),
            },
          }),
      ...(instanceType === undefined ? {} : { instanceType }),
      ...(instances === undefined ? {} : { instanceCount: instances }),
      ...(scaling === undefined ? {} : { scaling: scalingOf(scaling) }),
      ...(weight === undefined ? {} : { weight }),
    };
  }

  #asynchronous(endpointName: string, config: NonNullable<EndpointConfig['asynchronous']>): AsynchronousServing {
    const { input, output, failures, data_key: key, concurrency_per_instance: concurrency } = config;
    const place = (what: string, text: string) => {
      const { bucket, prefix } = folderOf(this, `${what}-${endpointName}`, text, key);
      return { bucket: bucket as IBucket, prefix };
    };
    return {
      input: place('Input', input),
      output: place('Output', output),
      ...(failures === undefined ? {} : { failures: place('Failures', failures) }),
      ...(concurrency === undefined ? {} : { concurrencyPerInstance: concurrency }),
    };
  }
}

function alarmsOf(endpointName: string, config: EndpointConfig): EndpointAlarms | undefined {
  const { p99_latency: p99, model_quality: quality } = config;
  if (p99 === undefined && quality === undefined) return undefined;
  return {
    ...(p99 === undefined ? {} : { p99Latency: durationOf(p99) }),
    ...(quality === undefined ? {} : { modelQuality: qualityOf(endpointName, quality) }),
  };
}

const measures = { accuracy: 'accuracy', feature_psi: 'featurePsi', feature_kl: 'featureKl' } as const;

function qualityOf(
  endpointName: string,
  quality: NonNullable<EndpointConfig['model_quality']>,
): NonNullable<EndpointAlarms['modelQuality']> {
  const { measure, min, max, model_name = endpointName, model_version, feature } = quality;
  const dimensions = {
    model_name,
    ...(model_version === undefined ? {} : { model_version }),
    ...(feature === undefined ? {} : { feature }),
  };
  return {
    metric: qualityMetric(measures[measure], dimensions),
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
  };
}

function scalingOf(scaling: ScalingConfig): VariantScaling {
  const { min, max, invocations_per_instance: invocations, concurrency_per_instance: concurrency } = scaling;
  const { gpu_utilization: gpu, backlog_per_instance: backlog } = scaling;
  return {
    min,
    max,
    ...(invocations === undefined ? {} : { invocationsPerInstance: invocations }),
    ...(concurrency === undefined ? {} : { concurrencyPerInstance: concurrency }),
    ...(gpu === undefined ? {} : { gpuUtilization: gpu }),
    ...(backlog === undefined ? {} : { backlogPerInstance: backlog }),
  };
}
