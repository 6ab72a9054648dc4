/** Who a token speaks for, and what it may do. `none` on `pull_requests` still lets it read a public repository. */
export interface Permissions {
  readonly contents: 'none' | 'read' | 'write';
  readonly issues: 'none' | 'read' | 'write';
  readonly pull_requests: 'none' | 'read' | 'write';
  readonly checks: 'none' | 'read' | 'write';
  /** `none` when not given. */
  readonly deployments?: 'none' | 'read' | 'write';
  /** `none` when not given. */
  readonly actions?: 'none' | 'read' | 'write';
}

/** What the README's workflow asks for. */
export const fullPermissions: Permissions = {
  contents: 'read',
  issues: 'none',
  pull_requests: 'write',
  checks: 'write',
};

/** `permissions: contents: read` alone; also what a fork's pull request is given, whatever the workflow asks for. */
export const readOnlyPermissions: Permissions = {
  contents: 'read',
  issues: 'none',
  pull_requests: 'none',
  checks: 'none',
};

export interface Account {
  readonly login: string;
  readonly id: number;
  readonly type: 'User' | 'Bot';
}

/** The account behind every workflow's own token. */
export const actionsBot: Account = { login: 'github-actions[bot]', id: 41_898_282, type: 'Bot' };

/** GitHub's `simple-user`, from the three facts that differ. */
export function simpleUser(account: Account): Readonly<Record<string, unknown>> {
  const api = `https://api.github.com/users/${encodeURIComponent(account.login)}`;
  return {
    login: account.login,
    id: account.id,
    node_id: `U_${account.id}`,
    avatar_url: `https://avatars.githubusercontent.com/u/${account.id}`,
    gravatar_id: '',
    url: api,
    html_url: `https://github.com/${encodeURIComponent(account.login)}`,
    followers_url: `${api}/followers`,
    following_url: `${api}/following{/other_user}`,
    gists_url: `${api}/gists{/gist_id}`,
    starred_url: `${api}/starred{/owner}{/repo}`,
    subscriptions_url: `${api}/subscriptions`,
    organizations_url: `${api}/orgs`,
    repos_url: `${api}/repos`,
    events_url: `${api}/events{/privacy}`,
    received_events_url: `${api}/received_events`,
    type: account.type,
    site_admin: false,
  };
}

/** GitHub's `public-user`: what `GET /user` says of a personal token's owner. */
export function publicUser(account: Account): Readonly<Record<string, unknown>> {
  return {
    ...simpleUser(account),
    name: account.login,
    company: null,
    blog: null,
    location: null,
    email: null,
    hireable: null,
    bio: null,
    public_repos: 1,
    public_gists: 0,
    followers: 0,
    following: 0,
    created_at: '2026-01-01T00:00:00Z',
    updated_at: '2026-01-01T00:00:00Z',
  };
}
