import { createHash } from 'node:crypto';
import type { Report } from '../core/report/index.ts';
import type { GitHubApi, Octokit } from './api.ts';
import { statusOf } from './api-failure.ts';

/** GitHub counts characters; bytes are never fewer, so counting bytes is safe whatever it means by a character. */
const commentLimitBytes = 65_536;

/** The hidden first line by which a later run finds its comment. */
export function commentMarker(key: readonly string[]): string {
  // A digest: names of workflows and policies may hold anything, `-->` included.
  return `<!-- sluice:${createHash('sha256').update(JSON.stringify(key)).digest('hex').slice(0, 32)} -->`;
}

/** A body between its marker and its footer, within GitHub's limit: `render` is given how many bytes it may take. */
export function commentBody(marker: string, footer: string, render: (limitBytes: number) => string): string {
  const head = `${marker}\n`;
  return `${head}${render(commentLimitBytes - Buffer.byteLength(head) - Buffer.byteLength(footer))}${footer}`;
}

/** Who writes with this token. */
interface Author {
  readonly login: string;
}

interface FoundComment {
  readonly id: number;
  readonly body?: string | undefined;
  readonly user: { readonly login: string; readonly type: string } | null;
}

/** What became of the comment. */
export interface PublishedComment {
  readonly id: number;
  readonly done: 'created' | 'updated';
}

/**
 * Writes the one comment of this report on a pull request: updates the one that stands, creates it otherwise. A comment counts as
 * this report's only if the marker opens it and its author is this token's own identity; a copy of the marker in someone
 * else's comment is left alone. With `on-failure` a report that passed only updates. Returns undefined when nothing was to do;
 * throws octokit's error when GitHub refuses.
 */
export async function publishComment(
  api: GitHubApi,
  pullRequest: number,
  marker: string,
  body: string,
  when: { readonly comment: 'always' | 'on-failure'; readonly verdict: Report['verdict'] },
): Promise<PublishedComment | undefined> {
  const client = await api.client();
  const at = { owner: api.owner, repo: api.repo };
  const update = async (id: number): Promise<PublishedComment> => {
    await client.rest.issues.updateComment({ ...at, comment_id: id, body });
    return { id, done: 'updated' };
  };
  const own = await findOwn(client, api, pullRequest, marker);
  if (own !== undefined) return update(own);
  if (when.comment === 'on-failure' && when.verdict === 'passed') return undefined;
  try {
    // Not retried blindly: behind a 502 the comment may have been made, and the second try would repeat it.
    const request = { retries: 0 };
    const made = await client.rest.issues.createComment({ ...at, issue_number: pullRequest, body, request });
    return { id: made.data.id, done: 'created' };
  } catch (error) {
    if ((statusOf(error) ?? 500) < 500) throw error;
    const madeAfterAll = await findOwn(client, api, pullRequest, marker);
    if (madeAfterAll !== undefined) return update(madeAfterAll);
    const made = await client.rest.issues.createComment({ ...at, issue_number: pullRequest, body });
    return { id: made.data.id, done: 'created' };
  }
}

async function findOwn(
  client: Octokit,
  api: GitHubApi,
  pullRequest: number,
  marker: string,
): Promise<number | undefined> {
  const marked: FoundComment[] = [];
  const pages = client.paginate.iterator(client.rest.issues.listComments, {
    owner: api.owner,
    repo: api.repo,
    issue_number: pullRequest,
    per_page: 100,
  });
  for await (const { data } of pages) {
    marked.push(...(data as readonly FoundComment[]).filter(({ body }) => body?.startsWith(marker)));
  }
  if (marked.length === 0) return undefined;
  const by = (author: Author) => marked.find(({ user }) => user?.login === author.login)?.id;
  const person = await authenticatedUser(client);
  if (person !== undefined) return by(person);
  // An installation's token, which has no user: GITHUB_TOKEN's bot, or that of an app of one's own.
  const found = by({ login: 'github-actions[bot]' });
  if (found !== undefined || !marked.some(({ user }) => user?.type === 'Bot')) return found;
  const app = await viewer(client);
  return app === undefined ? undefined : by(app);
}

async function authenticatedUser(client: Octokit): Promise<Author | undefined> {
  try {
    const { data } = await client.rest.users.getAuthenticated();
    return { login: data.login };
  } catch (error) {
    const status = statusOf(error);
    if (status === 401 || status === 403 || status === 404) return undefined;
    throw error;
  }
}

async function viewer(client: Octokit): Promise<Author | undefined> {
  try {
    const { viewer: found } = await client.graphql<{ viewer: { login: string } }>('{ viewer { login } }');
    // GraphQL may write a bot's name without the `[bot]` that REST gives it. Only bots come here: a person has answered
    // GET /user, and no person's name can hold a bracket.
    return { login: found.login.replace(/\[bot\]$/, '').concat('[bot]') };
  } catch {
    return undefined;
  }
}
