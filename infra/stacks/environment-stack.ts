import { Fn, Stack, Tags } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Deployment } from '../config/deployment.ts';

/** A stack of one environment: called `<name>-<environment>-<what>` in the CDK, on its command line and in CloudFormation alike. */
export abstract class EnvironmentStack extends Stack {
  readonly #zones: readonly string[] | undefined;

  constructor(scope: Construct, deployment: Deployment, what: string, description: string) {
    const { name, environmentName, environment } = deployment;
    super(scope, stackName(deployment, what), {
      description: `${description} (${environmentName} of ${name})`,
      env: { account: environment.account, region: environment.region },
      analyticsReporting: false,
    });
    this.#zones = environment.availability_zones;
    Tags.of(this).add('sluice:name', name);
    Tags.of(this).add('sluice:environment', environmentName);
  }

  /** By the file, else the first ones of the region by CloudFormation: never by a question to the account. */
  override get availabilityZones(): string[] {
    return this.#zones === undefined ? [0, 1].map((index) => Fn.select(index, Fn.getAzs())) : [...this.#zones];
  }
}

/** `churn-staging-storage` */
export function stackName({ name, environmentName }: Deployment, what: string): string {
  return `${name}-${environmentName}-${what}`;
}
