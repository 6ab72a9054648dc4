import { CfnOutput, Duration } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { GitHubDeployRole, type GitHubTrust, grantReportQuality } from '../../constructs/aws/index.ts';
import type { Deployment } from '../config/deployment.ts';
import { transformMachine } from './batch-stack.ts';
import { EnvironmentStack, stackName } from './environment-stack.ts';
import type { StorageStack } from './storage-stack.ts';

/**
 * What jobs on GitHub may do here, without a secret: one role that compares stacks in pull requests, one that deploys them, and one that releases
 * models. Endpoints and training are allowed by their names, so that those stacks come and go without this one.
 */
export class PipelineAccessStack extends EnvironmentStack {
  readonly diff: GitHubDeployRole;
  readonly deploy: GitHubDeployRole;
  readonly release: GitHubDeployRole;

  constructor(scope: Construct, deployment: Deployment, storage: StorageStack) {
    super(scope, deployment, 'pipeline-access', 'What jobs on GitHub may do');
    const { trust, branch, environmentName, environment, makesOidcProvider } = deployment;
    const released: GitHubTrust = {
      ...trust,
      subjects: [{ environment: environment.github_environment ?? environmentName }],
      ...(branch === undefined ? {} : { refs: [`refs/heads/${branch}`] }),
    };
    this.deploy = new GitHubDeployRole(this, 'Deploy', {
      ...released,
      ...(makesOidcProvider
        ? {}
        : {
            providerArn: `arn:${this.partition}:iam::${this.account}:oidc-provider/token.actions.githubusercontent.com`,
          }),
    });
    const { providerArn } = this.deploy;
    this.deploy.grantCdkDeploy();

    this.diff = new GitHubDeployRole(this, 'Diff', { ...trust, subjects: [{ pullRequest: true }], providerArn });
    this.diff.allow(
      new PolicyStatement({
        actions: ['cloudformation:DescribeStacks', 'cloudformation:GetTemplate'],
        resources: [
          `arn:${this.partition}:cloudformation:${this.region}:${this.account}:stack/${stackName(deployment, '*')}`,
        ],
      }),
    );

    // As long as a job on GitHub may last: a canary is one.
    this.release = new GitHubDeployRole(this, 'Release', { ...released, providerArn, maxSession: Duration.hours(6) });
    this.release.grantPromote({ models: storage.models, prefix: `${deployment.name}/`, images: storage.images });
    if (environment.training !== undefined) {
      const machine = stackName(deployment, 'training');
      this.release.grantStart({
        stateMachineArn: `arn:${this.partition}:states:${this.region}:${this.account}:stateMachine:${machine}`,
      });
    }

    for (const name of Object.keys(environment.batch ?? {})) {
      this.release.grantStart({
        stateMachineArn: `arn:${this.partition}:states:${this.region}:${this.account}:stateMachine:${transformMachine(deployment, name)}`,
      });
    }

    const endpoints = Object.entries(environment.serving ?? {});
    for (const [endpointName, { serverless, asynchronous }] of endpoints) {
      this.release.grantInvoke(endpointName, asynchronous === undefined ? 'at once' : 'asynchronously');
      // A serverless endpoint has neither weights nor guarded deployments.
      if (serverless === undefined) this.release.grantCanary({ endpointName });
    }
    if (endpoints.some(([, { model_quality: quality }]) => quality !== undefined)) grantReportQuality(this.release);

    for (const [name, { role }] of Object.entries({ Diff: this.diff, Deploy: this.deploy, Release: this.release })) {
      new CfnOutput(this, `${name}RoleArn`, { value: role.roleArn });
    }
  }
}
