import type { InfraConfig, InfraEnvironment } from './schema.ts';

/** One environment of the file, with what a stack has to know of the rest. */
export interface Deployment {
  /** What all stacks are called after. */
  readonly name: string;
  /** `owner/name`. */
  readonly repository: string;
  /** `staging`, `production`. */
  readonly environmentName: string;
  readonly environment: InfraEnvironment;
  /** Whether this environment makes the account's provider of GitHub's tokens. */
  readonly makesOidcProvider: boolean;
}

/** Every environment of the file, in its order. */
export function deploymentsOf({ name, repository, environments }: InfraConfig): readonly Deployment[] {
  const accounts = new Set<string>();
  return Object.entries(environments).map(([environmentName, environment]) => {
    const { account, oidc_provider: provider } = environment;
    const makesOidcProvider = provider === undefined ? !accounts.has(account) : provider === 'new';
    accounts.add(account);
    return { name, repository, environmentName, environment, makesOidcProvider };
  });
}
