import { type Duration, Token } from 'aws-cdk-lib';
import type { CfnEndpointConfig } from 'aws-cdk-lib/aws-sagemaker';
import type { IConstruct } from 'constructs';
import type { ConstructProblem } from '../../problem/index.ts';
import { sageMakerInstance, sageMakerProblem } from '../accelerators.ts';
import type { InferenceContainer } from './inference-container.ts';
import { isSageMakerName } from './sagemaker-name.ts';
import { scalingProblems, type VariantScaling } from './variant-scaling.ts';

/** One model of an endpoint and what it runs on. */
export interface EndpointVariant {
  /**
   * A deployment finds the old fleet by it: with another name SageMaker shifts all traffic at once, without asking the alarms. Never change it.
   * @default 'AllTraffic'
   */
  readonly name?: string;
  readonly container: InferenceContainer;
  /** `ml.m5.xlarge`. Needed unless `serverless` is given. */
  readonly instanceType?: string;
  /** To begin with; later scaling decides, where there is any. @default 2, or 1 of an asynchronous endpoint, or scaling's minimum if that is more */
  readonly instanceCount?: number;
  /** Without instances: SageMaker starts containers as requests come. @default instances */
  readonly serverless?: ServerlessVariant;
  /** Its part of the requests, beside the weights of the others. @default 1 */
  readonly weight?: number;
  /** @default none: the number of instances stays */
  readonly scaling?: VariantScaling;
  /** How long the container may take until `/ping` answers: from 1 minute to 1 hour. @default 10 minutes */
  readonly startupTimeout?: Duration;
  /** How long the model may take from S3: from 1 minute to 1 hour. @default 15 minutes for folders of files and archives alike */
  readonly downloadTimeout?: Duration;
  /** Of instances without disks of their own, 1 to 512. @default SageMaker's choice, 30 */
  readonly volumeSizeGb?: number;
  /** Which requests an instance gets: that with the fewest on its hands, or any. @default 'least-outstanding-requests' */
  readonly routing?: 'least-outstanding-requests' | 'random';
}

/** https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariantServerlessConfig.html */
export interface ServerlessVariant {
  /** 1024, 2048, 3072, 4096, 5120 or 6144. */
  readonly memoryMb: number;
  /** How many requests at once, 1 to 200. More are refused. */
  readonly maxConcurrency: number;
  /** Of them so many that need not wait for a container to start, and that are paid for all the time. @default none */
  readonly provisionedConcurrency?: number;
}

export type EndpointKind = 'real-time' | 'asynchronous' | 'serverless';

export function variantName({ name = 'AllTraffic' }: EndpointVariant): string {
  return name;
}

export function instanceCount({ instanceCount, scaling }: EndpointVariant, kind: EndpointKind): number {
  return instanceCount ?? Math.max(kind === 'asynchronous' ? 1 : 2, scaling?.min ?? 1);
}

/** The fewest instances it may ever have. */
export function fewestInstances(variant: EndpointVariant, kind: EndpointKind): number {
  const { scaling } = variant;
  return scaling === undefined ? instanceCount(variant, kind) : Math.min(instanceCount(variant, kind), scaling.min);
}

/**
 * Whether the instance has disks of its own. They are encrypted by the hardware, and no key can be asked for
 * (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html, KmsKeyId).
 */
export function hasOwnDisks(instanceType: string): boolean {
  const instance = sageMakerInstance(instanceType);
  if (instance === undefined) return false;
  if (instance.accelerator !== undefined) return instance.accelerator.nvmeGb > 0;
  // m5d, c6gd: the d is for disks; p3dn and g4dn are among the accelerators.
  return /^[cmr]\d+[a-z]*d$/.test(instance.family);
}

/** As CloudFormation has it. */
export function productionVariant(
  variant: EndpointVariant,
  modelName: string,
  kind: EndpointKind,
  weight = variant.weight ?? 1,
): CfnEndpointConfig.ProductionVariantProperty {
  const { serverless, instanceType, startupTimeout, downloadTimeout, volumeSizeGb, routing } = variant;
  const common = { variantName: variantName(variant), modelName, initialVariantWeight: weight };
  if (serverless !== undefined) {
    const { memoryMb, maxConcurrency, provisionedConcurrency } = serverless;
    return {
      ...common,
      serverlessConfig: {
        memorySizeInMb: memoryMb,
        maxConcurrency,
        ...(provisionedConcurrency === undefined ? {} : { provisionedConcurrency }),
      },
    };
  }
  return {
    ...common,
    ...(instanceType === undefined ? {} : { instanceType }),
    initialInstanceCount: instanceCount(variant, kind),
    containerStartupHealthCheckTimeoutInSeconds: startupTimeout?.toSeconds() ?? 600,
    modelDataDownloadTimeoutInSeconds: downloadTimeout?.toSeconds() ?? 900,
    ...(volumeSizeGb === undefined ? {} : { volumeSizeInGb: volumeSizeGb }),
    // An asynchronous endpoint has one queue, and instances take from it.
    ...(kind === 'asynchronous'
      ? {}
      : { routingConfig: { routingStrategy: routing === 'random' ? 'RANDOM' : 'LEAST_OUTSTANDING_REQUESTS' } }),
  };
}

/** What is wrong with one variant by itself. */
export function variantProblems(
  variant: EndpointVariant,
  prop: string,
  kind: EndpointKind,
  scope: IConstruct,
): readonly ConstructProblem[] {
  const { name, container, instanceType, serverless, weight, startupTimeout, downloadTimeout, volumeSizeGb } = variant;
  const problems: ConstructProblem[] = [...container.problems(`${prop}.container`, scope)];
  const outside = (of: string, found: string, expected: string, fix: string, code = 'bad-variant'): void => {
    problems.push({ code, message: `${prop}.${of} is outside of what SageMaker takes`, found, expected, fix });
  };
  if (name !== undefined && !Token.isUnresolved(name) && !isSageMakerName(name)) {
    outside('name', name, 'up to 63 letters, digits and hyphens', 'Choose one and keep it: deployments go by it.');
  }
  if (weight !== undefined && !Token.isUnresolved(weight) && !(weight >= 0 && Number.isFinite(weight))) {
    outside('weight', String(weight), '0 or more', 'Weights are parts of their sum: 9 and 1 are 90 % and 10 %.');
  }
  for (const [of, timeout] of [
    ['startupTimeout', startupTimeout],
    ['downloadTimeout', downloadTimeout],
  ] as const) {
    const seconds = timeout?.toSeconds();
    if (seconds !== undefined && (seconds < 60 || seconds > 3600)) {
      outside(
        of,
        `${seconds} s`,
        'from 60 to 3600 s',
        'A model that needs longer has to be made smaller, or put into the image.',
      );
    }
  }
  if (volumeSizeGb !== undefined && !(Number.isInteger(volumeSizeGb) && volumeSizeGb >= 1 && volumeSizeGb <= 512)) {
    outside(
      'volumeSizeGb',
      String(volumeSizeGb),
      'from 1 to 512',
      'Choose an instance with disks of its own for more.',
    );
  }
  if (serverless === undefined) {
    problems.push(...instanceProblems(variant, prop, kind));
  } else {
    problems.push(...serverlessProblems(variant, serverless, prop));
    if (instanceType !== undefined) {
      problems.push({
        code: 'serverless-with-instances',
        message: `${prop} has instances and is serverless`,
        found: instanceType,
        fix: 'Leave out instanceType or serverless.',
      });
    }
  }
  return problems;
}

function instanceProblems(variant: EndpointVariant, prop: string, kind: EndpointKind): readonly ConstructProblem[] {
  const { instanceType, scaling, volumeSizeGb } = variant;
  const problems: ConstructProblem[] = [];
  if (instanceType === undefined) {
    problems.push({
      code: 'no-instance-type',
      message: `${prop} has neither instances nor serverless`,
      fix: 'Name an instance type, such as ml.m5.xlarge, or give serverless: { memoryMb, maxConcurrency }.',
    });
  } else if (!Token.isUnresolved(instanceType)) {
    const unknown = sageMakerProblem(`${prop}.instanceType`, instanceType, 'hosting');
    if (unknown !== undefined) problems.push(unknown);
    if (volumeSizeGb !== undefined && hasOwnDisks(instanceType)) {
      problems.push({
        code: 'volume-with-own-disks',
        message: `${prop}.volumeSizeGb is given for an instance with disks of its own, for which SageMaker takes none`,
        found: `${volumeSizeGb} GB with ${instanceType}`,
        fix: 'Leave volumeSizeGb out.',
      });
    }
  }
  const count = instanceCount(variant, kind);
  if (!Token.isUnresolved(count) && !(Number.isInteger(count) && count >= 1)) {
    problems.push({
      code: 'bad-instance-count',
      message: `${prop}.instanceCount is none that SageMaker begins with`,
      found: String(count),
      expected: 'at least 1',
      fix: 'Begin with one; an asynchronous endpoint with scaling.min: 0 goes down to none by itself.',
    });
  }
  if (scaling !== undefined) problems.push(...scalingProblems(scaling, `${prop}.scaling`, kind, count, instanceType));
  return problems;
}

const memorySteps = [1024, 2048, 3072, 4096, 5120, 6144];

function serverlessProblems(
  { container, scaling, startupTimeout, downloadTimeout, volumeSizeGb, routing }: EndpointVariant,
  { memoryMb, maxConcurrency, provisionedConcurrency }: ServerlessVariant,
  prop: string,
): readonly ConstructProblem[] {
  const problems: ConstructProblem[] = [];
  const bad = (of: string, found: number, expected: string, fix: string): void => {
    problems.push({
      code: 'bad-serverless',
      message: `${prop}.serverless.${of} is none of SageMaker's`,
      found: String(found),
      expected,
      fix,
    });
  };
  const within = (value: number, most: number): boolean => Number.isInteger(value) && value >= 1 && value <= most;
  if (!memorySteps.includes(memoryMb)) {
    bad('memoryMb', memoryMb, memorySteps.join(', '), 'Take the next larger one; processors come with memory.');
  }
  if (!within(maxConcurrency, 200)) {
    bad('maxConcurrency', maxConcurrency, 'from 1 to 200', 'For more use instances with scaling by concurrency.');
  }
  if (provisionedConcurrency !== undefined && !within(provisionedConcurrency, maxConcurrency)) {
    bad(
      'provisionedConcurrency',
      provisionedConcurrency,
      'from 1 to maxConcurrency',
      'Lower it, or raise maxConcurrency.',
    );
  }
  const ignored = Object.entries({ startupTimeout, downloadTimeout, volumeSizeGb, routing })
    .filter(([, value]) => value !== undefined)
    .map(([key]) => key);
  if (ignored.length > 0) {
    problems.push({
      code: 'serverless-excludes',
      message: `${prop} is serverless, which has no ${ignored.join(' and no ')}`,
      fix: 'Leave it out, or use instances.',
    });
  }
  if (container.props.model?.form === 'files') {
    problems.push({
      code: 'archive-only',
      message: `${prop} is serverless, for which SageMaker takes models as archives only`,
      found: container.props.model.key,
      fix: 'Pack the files (tar -czf model.tar.gz) and use ModelData.archive.',
    });
  }
  if (scaling !== undefined) {
    problems.push({
      code: 'serverless-excludes',
      message: `${prop} is serverless, which scales by itself up to maxConcurrency`,
      fix: 'Leave scaling out.',
    });
  }
  return problems;
}
