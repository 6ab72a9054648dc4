import { CfnOutput, Duration } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { GitHubDeployRole, type GitHubSubject } from '../../constructs/aws/index.ts';
import type { Deployment } from '../config/deployment.ts';
import { EnvironmentStack, stackName } from './environment-stack.ts';
import type { StorageStack } from './storage-stack.ts';

export interface PipelineAccess {
  readonly storage: StorageStack;
}

/**
 * What jobs on GitHub may do here, without a secret: one role that compares stacks in pull requests, one that deploys them, and one that releases
 * models. Endpoints and training are allowed by their names, so that those stacks come and go without this one.
 */
export class PipelineAccessStack extends EnvironmentStack {
  readonly diff: GitHubDeployRole;
  readonly deploy: GitHubDeployRole;
  readonly release: GitHubDeployRole;

  constructor(scope: Construct, deployment: Deployment, { storage }: PipelineAccess) {
    super(scope, deployment, 'pipeline-access', 'What jobs on GitHub may do');
    const { repository, environmentName, environment, makesOidcProvider } = deployment;
    const subjects: [GitHubSubject] = [{ environment: environment.github_environment ?? environmentName }];
    this.deploy = new GitHubDeployRole(this, 'Deploy', {
      repository,
      subjects,
      ...(makesOidcProvider
        ? {}
        : {
            providerArn: `arn:${this.partition}:iam::${this.account}:oidc-provider/token.actions.githubusercontent.com`,
          }),
    });
    const { providerArn } = this.deploy;
    this.deploy.grantCdkDeploy();

    this.diff = new GitHubDeployRole(this, 'Diff', { repository, subjects: [{ pullRequest: true }], providerArn });
    this.diff.allow(
      new PolicyStatement({
        actions: ['cloudformation:DescribeStacks', 'cloudformation:GetTemplate'],
        resources: [
          `arn:${this.partition}:cloudformation:${this.region}:${this.account}:stack/${stackName(deployment, '*')}`,
        ],
      }),
    );

    // As long as a job on GitHub may last: a canary is one.
    this.release = new GitHubDeployRole(this, 'Release', {
      repository,
      subjects,
      providerArn,
      maxSession: Duration.hours(6),
    });
    storage.models.grantRead(this.release);
    storage.models.grantPublish(this.release);
    storage.images.grantPull(this.release);
    storage.images.grantPush(this.release);

    for (const [name, { role }] of Object.entries({ Diff: this.diff, Deploy: this.deploy, Release: this.release })) {
      new CfnOutput(this, `${name}RoleArn`, { value: role.roleArn });
    }
  }
}
