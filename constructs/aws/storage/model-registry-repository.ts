import { Duration, RemovalPolicy, Token } from 'aws-cdk-lib';
import { Repository, RepositoryEncryption, TagMutability, TagStatus } from 'aws-cdk-lib/aws-ecr';
import type { Grant, IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { Findings } from '../../problem/index.ts';

export interface ModelRegistryRepositoryProps {
  /** ECR makes no name by itself that a release could know: `models/churn`. */
  readonly repositoryName: string;
  /** @default a key that AWS manages */
  readonly encryptionKey?: IKey;
  /** When an image that no tag names any more goes; those with a tag stay for good. @default 30 days */
  readonly expireUntaggedAfter?: Duration;
}

/**
 * A registry for images of model servers and for models kept as OCI artifacts: tags cannot be moved to another image, every image is scanned as it
 * is pushed, and a stack that goes leaves it behind.
 */
export class ModelRegistryRepository extends Construct {
  readonly repository: Repository;

  /** @throws ConstructError with everything that is wrong with the props */
  constructor(scope: Construct, id: string, props: ModelRegistryRepositoryProps) {
    super(scope, id);
    const { repositoryName, encryptionKey, expireUntaggedAfter = Duration.days(30) } = props;
    const findings = new Findings(this, 'ModelRegistryRepository');
    findings.demand(
      Token.isUnresolved(repositoryName) ||
        (/^[a-z0-9]+(?:[._-][a-z0-9]+)*(?:\/[a-z0-9]+(?:[._-][a-z0-9]+)*)*$/.test(repositoryName) &&
          repositoryName.length >= 2 &&
          repositoryName.length <= 256),
      () => ({
        code: 'bad-repository-name',
        message: 'repositoryName is none that ECR takes',
        found: repositoryName,
        expected: 'small letters, digits, and ._- between them, with / between folders',
        fix: 'Write it as models/churn.',
      }),
    );
    findings.throwIfAny();
    this.repository = new Repository(this, 'Repository', {
      repositoryName,
      imageTagMutability: TagMutability.IMMUTABLE,
      imageScanOnPush: true,
      removalPolicy: RemovalPolicy.RETAIN,
      ...(encryptionKey === undefined ? {} : { encryption: RepositoryEncryption.KMS, encryptionKey }),
      lifecycleRules: [
        { description: 'Images that no tag names', tagStatus: TagStatus.UNTAGGED, maxImageAge: expireUntaggedAfter },
      ],
    });
  }

  /** Lets pull images and artifacts. */
  grantPull(grantee: IGrantable): Grant {
    return this.repository.grantPull(grantee);
  }

  /** Lets push new ones; none that is there can be changed. */
  grantPush(grantee: IGrantable): Grant {
    return this.repository.grantPush(grantee);
  }
}
