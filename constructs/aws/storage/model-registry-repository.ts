import { Duration, RemovalPolicy, Token } from 'aws-cdk-lib';
import { type Metric, Metric as MetricOf, type MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import { Repository, RepositoryEncryption, TagMutability, TagStatus } from 'aws-cdk-lib/aws-ecr';
import type { Grant, IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { repositoryMetrics } from '../../../core/telemetry/index.ts';
import { Findings } from '../../problem/index.ts';

export interface ModelRegistryRepositoryProps {
  /** ECR makes no name by itself that a release could know: `models/churn`. */
  readonly repositoryName: string;
  /** Only at creation: ECR cannot change it. @default the key of KMS that AWS keeps for ECR in the account */
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
    const untaggedDays = expireUntaggedAfter.toDays({ integral: false });
    findings.demand(untaggedDays >= 1, () => ({
      code: 'bad-untagged-age',
      message: 'expireUntaggedAfter is less than ECR counts in',
      found: expireUntaggedAfter.toHumanString(),
      expected: 'at least a day',
      fix: 'Raise it to Duration.days(1) or more.',
    }));
    findings.throwIfAny();
    this.repository = new Repository(this, 'Repository', {
      repositoryName,
      imageTagMutability: TagMutability.IMMUTABLE,
      imageScanOnPush: true,
      removalPolicy: RemovalPolicy.RETAIN,
      encryption: RepositoryEncryption.KMS,
      ...(encryptionKey === undefined ? {} : { encryptionKey }),
      lifecycleRules: [
        { description: 'Images that no tag names', tagStatus: TagStatus.UNTAGGED, maxImageAge: expireUntaggedAfter },
      ],
    });
  }

  /**
   * Lets pull images and artifacts. Other accounts (`new AccountPrincipal('444455556666')`) are let in by the repository's own policy; that their roles may
   * ask for `ecr:GetAuthorizationToken` is theirs to say.
   */
  grantPull(grantee: IGrantable): Grant {
    return this.repository.grantPull(grantee);
  }

  /** Lets push new ones; none that is there can be changed. */
  grantPush(grantee: IGrantable): Grant {
    return this.repository.grantPush(grantee);
  }

  /** How many images were pulled. */
  metricPulls(options: MetricOptions = {}): Metric {
    const { namespace, name } = repositoryMetrics.pulls;
    return new MetricOf({
      namespace,
      metricName: name,
      statistic: 'Sum',
      period: Duration.minutes(5),
      dimensionsMap: { RepositoryName: this.repository.repositoryName },
      ...options,
    });
  }
}
