import { type Account, simpleUser } from './identity.ts';

/** A pull request as GitHub's list tells of it, reduced to what differs. */
export interface PullRequest {
  readonly number: number;
  readonly headSha: string;
  readonly headRef: string;
  /** `owner/name` the head is in. */
  readonly headRepository: string;
  readonly baseSha: string;
  readonly author: Account;
  /** Paths it changes. */
  readonly files: readonly string[];
}

/** An artifact of a run. */
export interface Artifact {
  readonly id: number;
  readonly run: number;
  readonly name: string;
  readonly archive: Buffer;
}

/** GitHub's `pull-request-simple`. */
export function shownPullRequest(pull: PullRequest, repository: string, at: string): Readonly<Record<string, unknown>> {
  const api = `https://api.github.com/repos/${repository}`;
  const page = `https://github.com/${repository}/pull/${pull.number}`;
  const [headOwner = ''] = pull.headRepository.split('/');
  const [baseOwner = ''] = repository.split('/');
  const links = {
    self: `${api}/pulls/${pull.number}`,
    html: page,
    issue: `${api}/issues/${pull.number}`,
    comments: `${api}/issues/${pull.number}/comments`,
    review_comments: `${api}/pulls/${pull.number}/comments`,
    review_comment: `${api}/pulls/comments{/number}`,
    commits: `${api}/pulls/${pull.number}/commits`,
    statuses: `${api}/statuses/${pull.headSha}`,
  };
  return {
    id: 5000 + pull.number,
    node_id: `PR_${pull.number}`,
    url: links.self,
    html_url: links.html,
    diff_url: `${page}.diff`,
    patch_url: `${page}.patch`,
    issue_url: links.issue,
    commits_url: links.commits,
    review_comments_url: links.review_comments,
    review_comment_url: links.review_comment,
    comments_url: links.comments,
    statuses_url: links.statuses,
    number: pull.number,
    state: 'open',
    locked: false,
    title: 'Train on November data',
    user: simpleUser(pull.author),
    body: null,
    labels: [],
    milestone: null,
    created_at: at,
    updated_at: at,
    closed_at: null,
    merged_at: null,
    merge_commit_sha: null,
    assignee: null,
    head: {
      label: `${headOwner}:${pull.headRef}`,
      ref: pull.headRef,
      sha: pull.headSha,
      user: simpleUser({ login: headOwner, id: 12, type: 'User' }),
      repo: shownRepository(pull.headRepository, pull.headRepository !== repository, at),
    },
    base: {
      label: `${baseOwner}:main`,
      ref: 'main',
      sha: pull.baseSha,
      user: simpleUser({ login: baseOwner, id: 11, type: 'User' }),
      repo: shownRepository(repository, false, at),
    },
    _links: Object.fromEntries(Object.entries(links).map(([name, href]) => [name, { href }])),
    author_association: 'CONTRIBUTOR',
    auto_merge: null,
  };
}

/** GitHub's `diff-entry`. */
export function shownFile(filename: string, repository: string, sha: string): Readonly<Record<string, unknown>> {
  return {
    sha: sha.slice(0, 40),
    filename,
    status: 'modified',
    additions: 1,
    deletions: 1,
    changes: 2,
    blob_url: `https://github.com/${repository}/blob/${sha}/${encodeURI(filename)}`,
    raw_url: `https://github.com/${repository}/raw/${sha}/${encodeURI(filename)}`,
    contents_url: `https://api.github.com/repos/${repository}/contents/${encodeURI(filename)}?ref=${sha}`,
  };
}

/** GitHub's `artifact`. */
export function shownArtifact(
  { id, name, archive }: Artifact,
  repository: string,
  at: string,
): Readonly<Record<string, unknown>> {
  const url = `https://api.github.com/repos/${repository}/actions/artifacts/${id}`;
  return {
    id,
    node_id: `A_${id}`,
    name,
    size_in_bytes: archive.length,
    url,
    archive_download_url: `${url}/zip`,
    expired: false,
    created_at: at,
    expires_at: at,
    updated_at: at,
  };
}

/** The links of GitHub's `repository`, each under the repository's own address. */
const repositoryLinks = [
  ...['archive', 'assignees', 'blobs', 'branches', 'collaborators', 'comments', 'commits', 'compare', 'contents'],
  ...['contributors', 'deployments', 'downloads', 'events', 'forks', 'git_commits', 'git_refs', 'git_tags', 'hooks'],
  ...['issue_comment', 'issue_events', 'issues', 'keys', 'labels', 'languages', 'merges', 'milestones'],
  ...['notifications', 'pulls', 'releases', 'stargazers', 'statuses', 'subscribers', 'subscription', 'tags', 'teams'],
  ...['trees', 'git', 'ssh', 'svn', 'clone'],
];

function shownRepository(fullName: string, fork: boolean, at: string): Readonly<Record<string, unknown>> {
  const [owner = '', name = ''] = fullName.split('/');
  const api = `https://api.github.com/repos/${fullName}`;
  return {
    id: fork ? 1002 : 1001,
    node_id: `R_${fork ? 2 : 1}`,
    name,
    full_name: fullName,
    owner: simpleUser({ login: owner, id: fork ? 12 : 11, type: 'User' }),
    private: false,
    html_url: `https://github.com/${fullName}`,
    description: null,
    fork,
    url: api,
    ...Object.fromEntries(repositoryLinks.map((link) => [`${link}_url`, `${api}/${link}`])),
    mirror_url: null,
    homepage: null,
    language: null,
    license: null,
    default_branch: 'main',
    ...Object.fromEntries(
      [
        'forks',
        'forks_count',
        'open_issues',
        'open_issues_count',
        'size',
        'stargazers_count',
        'watchers',
        'watchers_count',
      ].map((count) => [count, 0]),
    ),
    ...Object.fromEntries(
      ['has_downloads', 'has_issues', 'has_projects', 'has_wiki', 'has_pages', 'archived', 'disabled'].map((flag) => [
        flag,
        false,
      ]),
    ),
    pushed_at: at,
    created_at: at,
    updated_at: at,
  };
}
