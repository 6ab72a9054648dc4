import { Stack, Token } from 'aws-cdk-lib';
import type { IRepository } from 'aws-cdk-lib/aws-ecr';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import type { CfnModel } from 'aws-cdk-lib/aws-sagemaker';
import type { IConstruct } from 'constructs';
import type { ConstructProblem } from '../../problem/index.ts';
import { ModelRegistryRepository } from '../storage/model-registry-repository.ts';
import { ecrAddress, type ModelData } from './model-data.ts';

/** An image that speaks SageMaker's contract: `GET /ping` and `POST /invocations` on port 8080, started by `serve`. */
export type InferenceImage =
  /** Its address in ECR: SageMaker pulls from nowhere else, but from registries within the VPC, which are not offered here. */
  | string
  | {
      readonly repository: ModelRegistryRepository | IRepository;
      /** `sha256:…`: the image that was tested, whatever happens to tags. Better than `tag`. */
      readonly digest?: string;
      readonly tag?: string;
    };

export interface InferenceContainerProps {
  readonly image: InferenceImage;
  /** @default none: the model is in the image */
  readonly model?: ModelData;
  /** No secrets: whoever may describe the model reads them. @default none */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface TritonContainerProps extends InferenceContainerProps {
  readonly model: ModelData;
  /** The one model that is loaded (with those of which it is an ensemble), and that answers: a folder in the model data. */
  readonly defaultModel: string;
  /** Whether each request is logged. @default false */
  readonly verbose?: boolean;
}

/** What runs on the instances: an image, and the model it serves. */
export class InferenceContainer {
  readonly props: InferenceContainerProps;

  /** An image of one's own, or one of AWS's Deep Learning Containers. */
  constructor(props: InferenceContainerProps) {
    this.props = props;
  }

  /**
   * NVIDIA's Triton Inference Server with its front for SageMaker: AWS's image `sagemaker-tritonserver`, or NVIDIA's own, whose program `serve` is the same.
   * The model data is a model repository (`churn/config.pbtxt`, `churn/1/model.onnx`). The environment is that of
   * https://github.com/triton-inference-server/server/blob/main/docker/sagemaker/serve
   */
  static triton(props: TritonContainerProps): InferenceContainer {
    return new InferenceContainer({
      image: props.image,
      model: props.model,
      environment: {
        SAGEMAKER_TRITON_DEFAULT_MODEL_NAME: props.defaultModel,
        // Its program `serve` logs every request unless it is told not to.
        SAGEMAKER_TRITON_LOG_VERBOSE: String(props.verbose ?? false),
        ...props.environment,
      },
    });
  }

  /**
   * ONNX models: by Triton's `onnxruntime` backend. The model data has the layout that `sluice serve` reads too (`churn/1/model.onnx`; of
   * `config.pbtxt` Triton fills in what is missing), so what the gate and the smoke test saw is what is deployed. Sluice's own server image is no
   * choice here: it speaks the Open Inference Protocol, not SageMaker's `/invocations`.
   */
  static onnx(props: TritonContainerProps): InferenceContainer {
    return InferenceContainer.triton(props);
  }

  /** As CloudFormation has it. */
  definition(scope: IConstruct): CfnModel.ContainerDefinitionProperty {
    const { model, environment = {} } = this.props;
    return {
      image: this.#address(scope).uri,
      ...(Object.keys(environment).length === 0 ? {} : { environment }),
      ...(model === undefined
        ? {}
        : model.form === 'archive'
          ? { modelDataUrl: model.uri }
          : {
              modelDataSource: {
                s3DataSource: { s3Uri: model.uri, s3DataType: 'S3Prefix', compressionType: 'None' },
              },
            }),
    };
  }

  /** Lets pull this image and read this model. */
  grantUse(grantee: IGrantable, scope: IConstruct): void {
    const { image, model } = this.props;
    if (typeof image !== 'string') {
      image.repository.grantPull(grantee);
    } else {
      const { repositoryArn } = ecrAddress(image, Stack.of(scope));
      if (repositoryArn !== undefined) {
        Grant.addToPrincipal({
          grantee,
          actions: ['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
          resourceArns: [repositoryArn],
        });
        Grant.addToPrincipal({ grantee, actions: ['ecr:GetAuthorizationToken'], resourceArns: ['*'] });
      }
    }
    model?.grantRead(grantee);
  }

  problems(prop: string, scope: IConstruct): readonly ConstructProblem[] {
    const { image, model, environment = {} } = this.props;
    const problems: ConstructProblem[] = [...(model?.problems(`${prop}.model`) ?? [])];
    const digest = typeof image === 'string' ? /@(.*)$/.exec(image)?.[1] : image.digest;
    if (digest !== undefined && !Token.isUnresolved(digest) && !/^sha256:[0-9a-f]{64}$/.test(digest)) {
      problems.push({
        code: 'bad-digest',
        message: `${prop}.image has a digest that is none`,
        found: digest,
        expected: 'sha256: and 64 hexadecimal digits',
        fix: 'Copy it from the registry.',
      });
    }
    if (typeof image === 'string' && this.#address(scope).repositoryArn === undefined) {
      problems.push({
        code: 'image-not-in-ecr',
        message: `${prop}.image is none of ECR's, from which alone SageMaker pulls`,
        found: Token.isUnresolved(image) ? 'a value that is known at deployment only' : image,
        expected: '123456789012.dkr.ecr.eu-west-1.amazonaws.com/models/churn@sha256:…',
        fix: 'Push it to ECR; give a repository of this app as { repository, digest }.',
      });
    }
    const large = Object.entries(environment).filter(([key, value]) => key.length > 1024 || value.length > 1024);
    if (large.length > 0 || Object.keys(environment).length > 100) {
      problems.push({
        code: 'bad-environment',
        message: `${prop}.environment is larger than SageMaker takes`,
        found: large.length > 0 ? large.map(([key]) => key.slice(0, 40)).join(', ') : 'more than 100 variables',
        expected: 'at most 100 variables of at most 1024 bytes',
        fix: 'Put large settings into a file beside the model.',
      });
    }
    return problems;
  }

  warnings(prop: string): readonly ConstructProblem[] {
    const { image, model } = this.props;
    const pinned =
      typeof image === 'string' ? Token.isUnresolved(image) || image.includes('@') : image.digest !== undefined;
    return [
      ...(model?.warnings(`${prop}.model`) ?? []),
      ...(pinned
        ? []
        : [
            {
              code: 'image-without-digest',
              message: `${prop}.image has no digest: an instance that starts later may run another image than those that were tested`,
              found: typeof image === 'string' ? image : `tag ${image.tag ?? 'latest'}`,
              fix: 'Name the image by its digest (…@sha256:…).',
            },
          ]),
    ];
  }

  #address(scope: IConstruct): ReturnType<typeof ecrAddress> {
    const { image } = this.props;
    if (typeof image === 'string') return ecrAddress(image, Stack.of(scope));
    const { digest, tag = 'latest' } = image;
    const repository =
      image.repository instanceof ModelRegistryRepository ? image.repository.repository : image.repository;
    return {
      uri: digest === undefined ? repository.repositoryUriForTag(tag) : repository.repositoryUriForDigest(digest),
      repositoryArn: repository.repositoryArn,
    };
  }
}
