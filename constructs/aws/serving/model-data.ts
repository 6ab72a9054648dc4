import { type Stack, Token } from 'aws-cdk-lib';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { ConstructProblem } from '../../problem/index.ts';
import { ModelBucket } from '../storage/model-bucket.ts';

/**
 * The files of one model on S3. SageMaker's API takes no version of an object, and CloudFormation no ETag (`AWS::SageMaker::Model` S3DataSource): what an
 * endpoint serves is pinned by the key alone. So give every release a key of its own (`churn/7/model.tar.gz`); a `ModelBucket` keeps what is written
 * over all the same.
 */
export class ModelData {
  readonly form: 'archive' | 'files';
  readonly key: string;
  readonly #from: ModelBucket | IBucket;

  private constructor(form: 'archive' | 'files', from: ModelBucket | IBucket, key: string) {
    this.form = form;
    this.key = key;
    this.#from = from;
  }

  /** One gzipped tar archive: `churn/7/model.tar.gz`. The only form that serverless variants and batch transforms take. */
  static archive(bucket: ModelBucket | IBucket, key: string): ModelData {
    return new ModelData('archive', bucket, key);
  }

  /** All files below a prefix, as they are: `churn/7/`. Starts sooner than an archive, since nothing is unpacked. */
  static files(bucket: ModelBucket | IBucket, prefix: string): ModelData {
    return new ModelData('files', bucket, prefix);
  }

  get bucket(): IBucket {
    // The CDK's own types do not know of exact optional properties.
    return this.#from instanceof ModelBucket ? (this.#from.bucket as IBucket) : this.#from;
  }

  get uri(): string {
    return `s3://${this.bucket.bucketName}/${this.key}`;
  }

  /** Lets read these files, list what has their key in front, and no more. */
  grantRead(grantee: IGrantable): Grant {
    const { bucket } = this;
    const objects = this.form === 'archive' ? this.key : `${this.key}*`;
    const read = Grant.addToPrincipalOrResource({
      grantee,
      actions: ['s3:GetObject'],
      resourceArns: [bucket.arnForObjects(objects)],
      resource: bucket,
    });
    const list = Grant.addToPrincipalOrResource({
      grantee,
      actions: ['s3:ListBucket'],
      resourceArns: [bucket.bucketArn],
      resource: bucket,
      conditions: { StringLike: { 's3:prefix': objects } },
    });
    const key = this.#from instanceof ModelBucket ? this.#from.encryptionKey : bucket.encryptionKey;
    const readable = read.combine(list);
    return key === undefined ? readable : readable.combine(key.grant(grantee, 'kms:Decrypt'));
  }

  /** What SageMaker would not take. */
  problems(prop: string): readonly ConstructProblem[] {
    const { key, form } = this;
    if (Token.isUnresolved(key)) return [];
    const fits = form === 'archive' ? /^[^/].*\.tar\.gz$/ : /^[^/].*\/$/;
    return fits.test(key)
      ? []
      : [
          {
            code: 'bad-model-key',
            message: `${prop} is no ${form === 'archive' ? 'gzipped tar archive' : 'folder'}`,
            found: key,
            expected: form === 'archive' ? 'churn/7/model.tar.gz' : 'churn/7/',
            fix:
              form === 'archive'
                ? 'Pack the files with tar -czf, or use ModelData.files for a folder.'
                : 'End the prefix with a slash, or use ModelData.archive for a .tar.gz.',
          },
        ];
  }

  /** What works and may bite later. */
  warnings(prop: string): readonly ConstructProblem[] {
    if (Token.isUnresolved(this.key) || /\d/.test(this.key)) return [];
    return [
      {
        code: 'model-without-version',
        message: `${prop} has no version in its key: a model written over there is served by the next instance that starts, and CloudFormation sees no change to deploy`,
        found: this.key,
        fix: 'Give every release a key of its own, such as churn/7/model.tar.gz.',
      },
    ];
  }
}

/** An image in ECR: by the repository, or by its address. */
export interface ImageAddress {
  readonly uri: string;
  /** To be allowed to pull; `undefined` where the address is none of ECR's. */
  readonly repositoryArn: string | undefined;
}

/** Reads `123456789012.dkr.ecr.eu-west-1.amazonaws.com/models/churn@sha256:…`. */
export function ecrAddress(uri: string, stack: Stack): ImageAddress {
  const parts = /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?\/([a-z0-9._/-]+?)(?:[:@].*)?$/.exec(uri);
  const [, account, region, name] = parts ?? [];
  if (account === undefined) return { uri, repositoryArn: undefined };
  return { uri, repositoryArn: `arn:${stack.partition}:ecr:${region}:${account}:repository/${name}` };
}
