import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { Contract, type Match } from './contract.ts';
import {
  type Deployment,
  type PutLabel,
  shownDeployment,
  shownLabel,
  shownLabelling,
  shownStatus,
} from './deployment.ts';
import { type Account, actionsBot, fullPermissions, type Permissions, publicUser, simpleUser } from './identity.ts';
import { type Artifact, type PullRequest, shownArtifact, shownFile, shownPullRequest } from './pull-request.ts';

export interface Comment {
  readonly id: number;
  readonly issue: number;
  readonly author: Account;
  body: string;
  readonly createdAt: string;
  /** How often it was edited. */
  edits: number;
}

export interface Annotation {
  readonly path: string;
  readonly start_line: number;
  readonly end_line: number;
  readonly annotation_level: 'notice' | 'warning' | 'failure';
  readonly message: string;
  readonly title?: string;
}

export interface CheckRun {
  readonly id: number;
  name: string;
  readonly headSha: string;
  status: string;
  conclusion: string | undefined;
  title: string | undefined;
  summary: string | undefined;
  text: string | undefined;
  detailsUrl: string | undefined;
  externalId: string | undefined;
  /** GitHub appends: an update adds to what stands. */
  readonly annotations: Annotation[];
  /** How many annotations each request brought. */
  readonly batches: number[];
}

/** An answer GitHub gives instead of doing what was asked, for one operation (or `*`), so many times. */
export interface Fault {
  /** The document's operationId, e.g. `issues/create-comment`. */
  readonly operation: string;
  readonly answer: 'secondary-rate-limit' | 'server-error' | 'server-error-after-all' | 'unprocessable';
  /** How often; always when not given. */
  readonly times?: number;
  /** With a rate limit: how many seconds GitHub asks to wait; 1 when not given. */
  readonly retryAfter?: number;
}

export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  /** The document's operationId; undefined for requests outside it (Git LFS). */
  readonly operation: string | undefined;
  readonly status: number;
  readonly body: unknown;
}

export interface GitHubApiOptions {
  /** `owner/name` */
  readonly repository: string;
  /** The bare git repository whose files and blobs it serves. */
  readonly gitDirectory: string;
  /** What the token may do; the README's workflow when not given. */
  readonly permissions?: Permissions;
  /** In a private repository a token without a permission cannot even read. Public when not given. */
  readonly visibility?: 'public' | 'private';
  /** Who the token speaks for. A workflow's own token (the default) is not told by `GET /user`; a person's is. */
  readonly account?: Account;
  readonly faults?: readonly Fault[];
}

/** The only token it knows. */
export const token = 'ghs_testbedtestbedtestbedtestbed0000000000';

const clock = '2026-11-21T00:00:00Z';
const documentation = 'https://docs.github.com/rest';

/** An answer of the stand-in: JSON, or bytes as they are. */
interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly bytes?: Buffer;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function refusal(status: number, message: string, more: Readonly<Record<string, unknown>> = {}): Answer {
  return { status, body: { message, documentation_url: documentation, status: String(status), ...more } };
}

const notPermitted = refusal(403, 'Resource not accessible by integration');
const notFound = refusal(404, 'Not Found');

function text(body: unknown, name: string): string | undefined {
  const value = (body as Readonly<Record<string, unknown>> | undefined)?.[name];
  return typeof value === 'string' ? value : undefined;
}

function digestOf(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/** What git holds in place of a file that is in Git LFS. */
export function pointerTo(content: Buffer): string {
  return `version https://git-lfs.github.com/spec/v1\noid sha256:${digestOf(content)}\nsize ${content.length}\n`;
}

/**
 * A stand-in for GitHub's API that remembers: comments, check runs, and the files of a git repository. Each request is held
 * against GitHub's own OpenAPI document; what the document does not allow is answered as GitHub would and kept in
 * `violations`, which a test expects to be empty.
 */
export class GitHubApi {
  readonly comments: Comment[] = [];
  readonly checkRuns: CheckRun[] = [];
  readonly deployments: Deployment[] = [];
  readonly labels: PutLabel[] = [];
  readonly pullRequests: PullRequest[] = [];
  readonly artifacts: Artifact[] = [];
  readonly requests: RecordedRequest[] = [];
  /** Requests GitHub's document does not allow, and answers of this stand-in that it does not describe. */
  readonly violations: string[] = [];
  /** Objects of Git LFS by their SHA-256. */
  readonly #largeFiles = new Map<string, Buffer>();
  readonly #options: GitHubApiOptions;
  readonly #contract = new Contract();
  readonly #server: Server;
  readonly #socketServer: Server;
  readonly #spent = new Map<Fault, number>();
  #nextId = 1001;
  #url = '';
  #socket = '';

  private constructor(options: GitHubApiOptions) {
    this.#options = options;
    const answer = (request: IncomingMessage, response: ServerResponse) => void this.#serve(request, response);
    this.#server = createServer(answer);
    this.#socketServer = createServer(answer);
  }

  static async start(options: GitHubApiOptions): Promise<GitHubApi> {
    const api = new GitHubApi(options);
    await new Promise<void>((resolve) => api.#server.listen(0, '127.0.0.1', resolve));
    const { port } = api.#server.address() as AddressInfo;
    api.#url = `http://127.0.0.1:${port}`;
    api.#socket = join(tmpdir(), `sluice-github-${process.pid}-${port}.sock`);
    await new Promise<void>((resolve) => api.#socketServer.listen(api.#socket, resolve));
    return api;
  }

  get url(): string {
    return this.#url;
  }

  /** The same API on a Unix socket, which a process without a network still reaches. */
  get socket(): string {
    return this.#socket;
  }

  async close(): Promise<void> {
    for (const server of [this.#server, this.#socketServer]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
    rmSync(this.#socket, { force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** A comment that stands before the run. */
  addComment(issue: number, author: Account, body: string): Comment {
    const comment: Comment = { id: this.#nextId++, issue, author, body, createdAt: clock, edits: 0 };
    this.comments.push(comment);
    return comment;
  }

  /** Puts a label on an issue or a pull request, now. */
  addLabel(issue: number, name: string, by: Account): void {
    this.labels.push({ issue, name, by, at: new Date().toISOString().replace(/\.\d+Z$/, 'Z') });
  }

  /** Puts a file into Git LFS; in git stands `pointerTo(content)`. */
  addLargeFile(content: Buffer): void {
    this.#largeFiles.set(digestOf(content), content);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? '/', this.#url);
    const method = request.method ?? 'GET';
    const match = this.#contract.match(method, url.pathname);
    let body: unknown;
    let answer: Answer;
    try {
      const sent = Buffer.concat(chunks).toString('utf8');
      body = sent === '' ? undefined : JSON.parse(sent);
      answer =
        match === undefined
          ? this.#outsideTheDocument(method, url, request, body)
          : this.#insideTheDocument(match, url, request, body);
    } catch (error) {
      this.violations.push(`${method} ${url.pathname}: ${error instanceof Error ? error.message : String(error)}`);
      answer = refusal(400, 'Problems parsing JSON');
    }
    this.requests.push({
      method,
      path: `${url.pathname}${url.search}`,
      operation: match?.operation.id,
      status: answer.status,
      body,
    });
    if (match !== undefined && answer.body !== undefined) {
      for (const problem of this.#contract.problemsOfAnswer(match, answer.status, answer.body)) {
        this.violations.push(`the stand-in's answer to ${method} ${url.pathname}: ${problem}`);
      }
    }
    const bytes = answer.bytes ?? Buffer.from(answer.body === undefined ? '' : JSON.stringify(answer.body));
    response.writeHead(answer.status, {
      'content-type': answer.type ?? 'application/json; charset=utf-8',
      'content-length': String(bytes.length),
      'x-github-request-id': `TEST:${this.requests.length}`,
      'x-ratelimit-limit': '1000',
      'x-ratelimit-remaining': '990',
      ...answer.headers,
    });
    response.end(bytes);
  }

  #insideTheDocument(match: Match, url: URL, request: IncomingMessage, body: unknown): Answer {
    const { id, method } = match.operation;
    const complain = (problem: string) => this.violations.push(`${method} ${url.pathname}: ${problem}`);
    if (request.headers['user-agent'] === undefined) {
      complain('no User-Agent');
      return refusal(403, 'Request forbidden by administrative rules.');
    }
    const authorization = /^(?:bearer|token) (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (authorization !== token) {
      complain('a token that was never given');
      return refusal(401, 'Bad credentials');
    }
    const problems = this.#contract.problemsOfRequest(match, url.searchParams, body);
    if (problems.length > 0) {
      problems.forEach(complain);
      return refusal(422, `Invalid request.\n\n${problems.join('\n')}`);
    }
    const { owner, repo } = match.parameters;
    if (owner !== undefined && `${owner}/${repo}` !== this.#options.repository) {
      complain('another repository than the one at hand');
      return notFound;
    }
    if (!this.#permitted(id)) return notPermitted;
    const fault = this.#nextFault(id);
    if (fault !== undefined && fault.answer !== 'server-error-after-all') return refusalOf(fault);
    const answer = this.#answer(match, url, request, body);
    return fault === undefined ? answer : refusalOf(fault);
  }

  #nextFault(operation: string): Fault | undefined {
    const fault = this.#options.faults?.find(
      (candidate) =>
        (candidate.operation === operation || candidate.operation === '*') &&
        (this.#spent.get(candidate) ?? 0) < (candidate.times ?? Number.POSITIVE_INFINITY),
    );
    if (fault !== undefined) this.#spent.set(fault, (this.#spent.get(fault) ?? 0) + 1);
    return fault;
  }

  #permitted(operation: string): boolean {
    const { permissions = fullPermissions, visibility = 'public' } = this.#options;
    const readable = visibility === 'public';
    switch (operation) {
      case 'issues/create-comment':
      case 'issues/update-comment':
        return permissions.issues === 'write' || permissions.pull_requests === 'write';
      case 'issues/list-comments':
      case 'issues/get-comment':
        return readable || permissions.issues !== 'none' || permissions.pull_requests !== 'none';
      case 'checks/create':
      case 'checks/update':
        return permissions.checks === 'write';
      case 'checks/get':
      case 'checks/list-for-ref':
        return readable || permissions.checks !== 'none';
      case 'repos/create-deployment':
      case 'repos/create-deployment-status':
        return permissions.deployments === 'write';
      case 'repos/list-deployments':
        return readable || (permissions.deployments ?? 'none') !== 'none';
      case 'actions/list-workflow-run-artifacts':
      case 'actions/download-artifact':
        return readable || (permissions.actions ?? 'none') !== 'none';
      case 'pulls/list':
      case 'pulls/list-files':
        return readable || permissions.pull_requests !== 'none';
      case 'issues/list-events':
      case 'issues/list-labels-on-issue':
        return readable || permissions.issues !== 'none' || permissions.pull_requests !== 'none';
      case 'repos/get-content':
      case 'git/get-blob':
        return readable || permissions.contents !== 'none';
      case 'users/get-authenticated':
        // A workflow's own token is an installation's, not a person's.
        return this.#account.type === 'User';
      default:
        return true;
    }
  }

  get #its() {
    return { repository: this.#options.repository, creator: this.#account, at: clock };
  }

  get #account(): Account {
    return this.#options.account ?? actionsBot;
  }

  #answer(match: Match, url: URL, request: IncomingMessage, body: unknown): Answer {
    const { parameters, operation } = match;
    const query = url.searchParams;
    switch (operation.id) {
      case 'users/get-authenticated':
        return { status: 200, body: publicUser(this.#account) };
      case 'issues/list-comments': {
        const issue = Number(parameters['issue_number']);
        return this.#page(
          url,
          this.comments.filter((comment) => comment.issue === issue).map((c) => this.#shown(c)),
        );
      }
      case 'issues/create-comment': {
        const sent = text(body, 'body') ?? '';
        const tooLong = refuseLong(sent);
        if (tooLong !== undefined) return tooLong;
        const comment = this.addComment(Number(parameters['issue_number']), this.#account, sent);
        return { status: 201, body: this.#shown(comment) };
      }
      case 'issues/get-comment':
      case 'issues/update-comment': {
        const comment = this.comments.find(({ id }) => id === Number(parameters['comment_id']));
        if (comment === undefined) return notFound;
        if (operation.id === 'issues/get-comment') return { status: 200, body: this.#shown(comment) };
        const sent = text(body, 'body') ?? '';
        const tooLong = refuseLong(sent);
        if (tooLong !== undefined) return tooLong;
        comment.body = sent;
        comment.edits += 1;
        return { status: 200, body: this.#shown(comment) };
      }
      case 'checks/create': {
        const run: CheckRun = {
          id: this.#nextId++,
          name: text(body, 'name') ?? '',
          headSha: text(body, 'head_sha') ?? '',
          status: 'queued',
          conclusion: undefined,
          title: undefined,
          summary: undefined,
          text: undefined,
          detailsUrl: undefined,
          externalId: undefined,
          annotations: [],
          batches: [],
        };
        if (!this.#hasCommit(run.headSha)) {
          return refusal(422, `No commit found for SHA: ${run.headSha}`);
        }
        this.checkRuns.push(run);
        changeCheckRun(run, body);
        return { status: 201, body: this.#shownRun(run) };
      }
      case 'checks/get':
      case 'checks/update': {
        const run = this.checkRuns.find(({ id }) => id === Number(parameters['check_run_id']));
        if (run === undefined) return notFound;
        if (operation.id === 'checks/update') changeCheckRun(run, body);
        return { status: 200, body: this.#shownRun(run) };
      }
      case 'checks/list-for-ref': {
        const runs = this.checkRuns.filter(
          (run) => run.headSha === parameters['ref'] && run.name === (query.get('check_name') ?? run.name),
        );
        return { status: 200, body: { total_count: runs.length, check_runs: runs.map((run) => this.#shownRun(run)) } };
      }
      case 'repos/list-deployments': {
        const wanted = (key: string, value: string) => (query.get(key) ?? value) === value;
        const found = this.deployments.filter(
          ({ environment, task, sha }) =>
            wanted('environment', environment) && wanted('task', task) && wanted('sha', sha),
        );
        return this.#page(
          url,
          found.toReversed().map((deployment) => shownDeployment(deployment, this.#its)),
        );
      }
      case 'repos/create-deployment': {
        const sha = text(body, 'ref') ?? '';
        if (!this.#hasCommit(sha)) return refusal(422, `No ref found for: ${sha}`);
        const deployment: Deployment = {
          id: this.#nextId++,
          sha,
          task: text(body, 'task') ?? 'deploy',
          environment: text(body, 'environment') ?? 'production',
          description: text(body, 'description') ?? '',
          payload: (body as { readonly payload?: unknown }).payload ?? '',
          statuses: [],
        };
        this.deployments.push(deployment);
        return { status: 201, body: shownDeployment(deployment, this.#its) };
      }
      case 'repos/create-deployment-status': {
        const deployment = this.deployments.find(({ id }) => id === Number(parameters['deployment_id']));
        if (deployment === undefined) return notFound;
        deployment.statuses.push({
          state: text(body, 'state') ?? '',
          description: text(body, 'description') ?? '',
          logUrl: text(body, 'log_url') ?? '',
        });
        return { status: 201, body: shownStatus(deployment, this.#its) };
      }
      case 'issues/list-labels-on-issue':
      case 'issues/list-events': {
        const issue = Number(parameters['issue_number']);
        const shown = operation.id === 'issues/list-events' ? shownLabelling : shownLabel;
        const put = this.labels.filter((label) => label.issue === issue);
        return this.#page(
          url,
          put.map((label) => shown(label, this.#options.repository)),
        );
      }
      case 'actions/list-workflow-run-artifacts': {
        const name = query.get('name');
        const found = this.artifacts.filter(
          (each) => each.run === Number(parameters['run_id']) && (name === null || each.name === name),
        );
        const shown = found.map((each) => shownArtifact(each, this.#options.repository, clock));
        return { status: 200, body: { total_count: shown.length, artifacts: shown } };
      }
      case 'actions/download-artifact': {
        const id = Number(parameters['artifact_id']);
        if (!this.artifacts.some((each) => each.id === id)) return notFound;
        return { status: 302, headers: { location: `${this.#url}/artifact-archives/${id}` } };
      }
      case 'pulls/list': {
        const head = query.get('head');
        const found = this.pullRequests.filter(
          ({ headRepository, headRef }) => head === null || head === `${headRepository.split('/')[0]}:${headRef}`,
        );
        return this.#page(
          url,
          found.map((each) => shownPullRequest(each, this.#options.repository, clock)),
        );
      }
      case 'pulls/list-files': {
        const found = this.pullRequests.find(({ number }) => number === Number(parameters['pull_number']));
        if (found === undefined) return notFound;
        return this.#page(
          url,
          found.files.map((path) => shownFile(path, this.#options.repository, found.headSha)),
        );
      }
      case 'repos/get-content':
        return this.#content(parameters['path'] ?? '', query.get('ref') ?? 'HEAD', request.headers.accept ?? '');
      case 'git/get-blob': {
        const sha = parameters['file_sha'] ?? '';
        const bytes = this.#git('cat-file', 'blob', sha);
        if (bytes === undefined) return notFound;
        if (isRaw(request.headers.accept ?? '')) return { status: 200, bytes, type: 'application/vnd.github.raw' };
        return {
          status: 200,
          body: {
            sha,
            node_id: `B_${sha}`,
            size: bytes.length,
            url: `${this.#url}/repos/${this.#options.repository}/git/blobs/${sha}`,
            content: bytes.toString('base64'),
            encoding: 'base64',
          },
        };
      }
      default:
        return refusal(501, `The stand-in does not serve ${operation.id}`);
    }
  }

  #page(url: URL, items: readonly unknown[]): Answer {
    const size = Math.min(100, Number(url.searchParams.get('per_page') ?? 30));
    const page = Number(url.searchParams.get('page') ?? 1);
    const last = Math.max(1, Math.ceil(items.length / size));
    const linkTo = (number: number, relation: string) => {
      const target = new URL(url);
      target.searchParams.set('page', String(number));
      return `<${target}>; rel="${relation}"`;
    };
    const links = [
      ...(page > 1 ? [linkTo(page - 1, 'prev'), linkTo(1, 'first')] : []),
      ...(page < last ? [linkTo(page + 1, 'next'), linkTo(last, 'last')] : []),
    ];
    return {
      status: 200,
      body: items.slice((page - 1) * size, page * size),
      ...(links.length === 0 ? {} : { headers: { link: links.join(', ') } }),
    };
  }

  #shown(comment: Comment): unknown {
    const api = `https://api.github.com/repos/${this.#options.repository}/issues`;
    const page = `https://github.com/${this.#options.repository}/pull/${comment.issue}`;
    return {
      id: comment.id,
      node_id: `IC_${comment.id}`,
      url: `${api}/comments/${comment.id}`,
      html_url: `${page}#issuecomment-${comment.id}`,
      issue_url: `${api}/${comment.issue}`,
      body: comment.body,
      user: simpleUser(comment.author),
      created_at: comment.createdAt,
      updated_at: comment.createdAt,
      author_association: comment.author.type === 'Bot' ? 'NONE' : 'CONTRIBUTOR',
    };
  }

  #shownRun(run: CheckRun): unknown {
    const api = `https://api.github.com/repos/${this.#options.repository}/check-runs/${run.id}`;
    return {
      id: run.id,
      node_id: `CR_${run.id}`,
      name: run.name,
      head_sha: run.headSha,
      external_id: run.externalId ?? '',
      url: api,
      html_url: `https://github.com/${this.#options.repository}/runs/${run.id}`,
      details_url: run.detailsUrl ?? `https://github.com/${this.#options.repository}/runs/${run.id}`,
      status: run.status,
      conclusion: run.conclusion ?? null,
      started_at: clock,
      completed_at: run.status === 'completed' ? clock : null,
      check_suite: { id: 5 },
      app: null,
      pull_requests: [],
      output: {
        title: run.title ?? null,
        summary: run.summary ?? null,
        text: run.text ?? null,
        annotations_count: run.annotations.length,
        annotations_url: `${api}/annotations`,
      },
    };
  }

  #git(...parameters: readonly string[]): Buffer | undefined {
    try {
      return execFileSync('git', ['--git-dir', this.#options.gitDirectory, ...parameters], {
        stdio: ['ignore', 'pipe', 'ignore'],
        maxBuffer: 256 * 1024 * 1024,
      });
    } catch {
      return undefined;
    }
  }

  #hasCommit(sha: string): boolean {
    return this.#git('cat-file', '-e', `${sha}^{commit}`) !== undefined;
  }

  #content(path: string, ref: string, accept: string): Answer {
    const kind = this.#git('cat-file', '-t', `${ref}:${path}`)?.toString().trim();
    if (kind === undefined) return notFound;
    if (kind === 'tree') {
      const names = this.#git('ls-tree', '--name-only', `${ref}:${path}`)?.toString().split('\n') ?? [];
      return {
        status: 200,
        body: names.filter((name) => name !== '').map((name) => this.#entry(join(path, name), ref)),
      };
    }
    const bytes = this.#git('cat-file', 'blob', `${ref}:${path}`);
    if (bytes === undefined) return notFound;
    if (isRaw(accept)) return { status: 200, bytes, type: 'application/vnd.github.raw+json; charset=utf-8' };
    // From 1 MB on the JSON form names the file and leaves its content out.
    const inline = bytes.length <= 1024 * 1024;
    return {
      status: 200,
      body: {
        ...this.#entry(path, ref),
        content: inline ? bytes.toString('base64').replaceAll(/(.{60})/g, '$1\n') : '',
        encoding: inline ? 'base64' : 'none',
      },
    };
  }

  #entry(path: string, ref: string): Readonly<Record<string, unknown>> {
    const sha = this.#git('rev-parse', `${ref}:${path}`)?.toString().trim() ?? '';
    const file = this.#git('cat-file', '-t', sha)?.toString().trim() === 'blob';
    const api = `https://api.github.com/repos/${this.#options.repository}`;
    const self = `${api}/contents/${encodeURI(path)}?ref=${ref}`;
    const git = `${api}/git/${file ? 'blobs' : 'trees'}/${sha}`;
    const html = `https://github.com/${this.#options.repository}/${file ? 'blob' : 'tree'}/${ref}/${encodeURI(path)}`;
    return {
      type: file ? 'file' : 'dir',
      name: basename(path),
      path,
      sha,
      size: file ? Number(this.#git('cat-file', '-s', sha)?.toString().trim()) : 0,
      url: self,
      git_url: git,
      html_url: html,
      download_url: file ? `https://raw.githubusercontent.com/${this.#options.repository}/${ref}/${path}` : null,
      _links: { self, git, html },
    };
  }

  /** Git LFS is a protocol of its own (git-lfs/docs/api/batch.md), and GraphQL a language: neither is in the document. */
  #outsideTheDocument(method: string, url: URL, request: IncomingMessage, body: unknown): Answer {
    const complain = (problem: string) => this.violations.push(`${method} ${url.pathname}: ${problem}`);
    if (method === 'POST' && url.pathname === `/${this.#options.repository}.git/info/lfs/objects/batch`) {
      const media = 'application/vnd.git-lfs+json';
      const credentials = `Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`;
      if (request.headers.authorization !== credentials) {
        complain('Git LFS takes the token by Basic authorization');
        return refusal(401, 'Credentials needed');
      }
      for (const header of ['accept', 'content-type'] as const) {
        if (!request.headers[header]?.startsWith(media)) complain(`${header} is not ${media}`);
      }
      const objects = (body as { readonly objects?: readonly { readonly oid: string; readonly size: number }[] })
        .objects;
      if (text(body, 'operation') !== 'download' || objects === undefined) complain('not a download of objects');
      return {
        status: 200,
        type: media,
        body: {
          transfer: 'basic',
          objects: (objects ?? []).map(({ oid, size }) =>
            this.#largeFiles.get(oid)?.length === size
              ? { oid, size, authenticated: true, actions: { download: { href: `${this.#url}/lfs-objects/${oid}` } } }
              : { oid, size, error: { code: 404, message: 'Object does not exist' } },
          ),
        },
      };
    }
    if (method === 'GET' && dirname(url.pathname) === '/lfs-objects') {
      const bytes = this.#largeFiles.get(basename(url.pathname));
      if (request.headers.authorization !== undefined) complain("GitHub's token was sent to the object store");
      return bytes === undefined ? notFound : { status: 200, bytes, type: 'application/octet-stream' };
    }
    if (method === 'GET' && dirname(url.pathname) === '/artifact-archives') {
      const archive = this.artifacts.find(({ id }) => id === Number(basename(url.pathname)))?.archive;
      return archive === undefined ? notFound : { status: 200, bytes: archive, type: 'application/zip' };
    }
    if (method === 'POST' && url.pathname === '/graphql' && text(body, 'query') === '{ viewer { login } }') {
      return { status: 200, body: { data: { viewer: { login: this.#account.login } } } };
    }
    complain("not in GitHub's document");
    return notFound;
  }
}

function refusalOf(fault: Fault): Answer {
  switch (fault.answer) {
    case 'secondary-rate-limit':
      return {
        ...refusal(
          403,
          'You have exceeded a secondary rate limit. Please wait a few minutes before you try again. If you reach out to GitHub Support for help, please include the request ID.',
        ),
        headers: { 'retry-after': String(fault.retryAfter ?? 1) },
      };
    case 'server-error':
    case 'server-error-after-all':
      return refusal(502, 'Server Error');
    case 'unprocessable':
      return refusal(422, 'Validation Failed', {
        errors: [{ resource: 'IssueComment', code: 'unprocessable', field: 'data', message: 'Could not be saved' }],
      });
  }
}

function refuseLong(body: string): Answer | undefined {
  if (body.length <= 65_536) return undefined;
  return refusal(422, 'Validation Failed', {
    errors: [
      {
        resource: 'IssueComment',
        code: 'unprocessable',
        field: 'data',
        message: 'Body is too long (maximum is 65536 characters)',
      },
    ],
  });
}

function isRaw(accept: string): boolean {
  return /application\/vnd\.github(\.v3)?\.raw/.test(accept);
}

function changeCheckRun(run: CheckRun, body: unknown): void {
  run.name = text(body, 'name') ?? run.name;
  run.status = text(body, 'status') ?? run.status;
  run.conclusion = text(body, 'conclusion') ?? run.conclusion;
  if (run.conclusion !== undefined) run.status = 'completed';
  run.detailsUrl = text(body, 'details_url') ?? run.detailsUrl;
  run.externalId = text(body, 'external_id') ?? run.externalId;
  const output = (body as { readonly output?: { readonly annotations?: readonly Annotation[] } }).output;
  if (output === undefined) return;
  run.title = text(output, 'title') ?? run.title;
  run.summary = text(output, 'summary') ?? run.summary;
  run.text = text(output, 'text') ?? run.text;
  const added = output.annotations ?? [];
  run.batches.push(added.length);
  run.annotations.push(...added);
}
