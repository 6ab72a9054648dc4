import type { GitHubTrust } from '../../constructs/aws/index.ts';
import type { InfraConfig, InfraEnvironment } from './schema.ts';

/** One environment of the file, with what a stack has to know of the rest. */
export interface Deployment {
  /** What all stacks are called after. */
  readonly name: string;
  /** Whose jobs may deploy and release. */
  readonly trust: Pick<GitHubTrust, 'repository' | 'repositoryIds'>;
  /** The one branch they may do so from, where the file names one. */
  readonly branch?: string;
  /** `staging`, `production`. */
  readonly environmentName: string;
  readonly environment: InfraEnvironment;
  /** Whether this environment makes the account's provider of GitHub's tokens. */
  readonly makesOidcProvider: boolean;
}

/** Every environment of the file, in its order. */
export function deploymentsOf(config: InfraConfig): readonly Deployment[] {
  const { name, repository, repository_ids: repositoryIds, branch, environments } = config;
  const trust = { repository, ...(repositoryIds === undefined ? {} : { repositoryIds }) };
  const accounts = new Set<string>();
  return Object.entries(environments).map(([environmentName, environment]) => {
    const { account, oidc_provider: provider } = environment;
    const makesOidcProvider = provider === undefined ? !accounts.has(account) : provider === 'new';
    accounts.add(account);
    return {
      name,
      trust,
      ...(branch === undefined ? {} : { branch }),
      environmentName,
      environment,
      makesOidcProvider,
    };
  });
}
