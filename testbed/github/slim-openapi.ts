/**
 * Writes `openapi.json`: GitHub's own OpenAPI document cut down to the operations the stand-in serves, with everything
 * they refer to. Run `node testbed/github/slim-openapi.ts` after a change of `operations` or of the version.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDirectory } from '../cache.ts';

const version = '23.0.2';

const operations = [
  'get /user',
  'get /repos/{owner}/{repo}/contents/{path}',
  'get /repos/{owner}/{repo}/git/blobs/{file_sha}',
  'get /repos/{owner}/{repo}/commits/{ref}/check-runs',
  'get /repos/{owner}/{repo}/issues/{issue_number}/comments',
  'post /repos/{owner}/{repo}/issues/{issue_number}/comments',
  'get /repos/{owner}/{repo}/issues/comments/{comment_id}',
  'patch /repos/{owner}/{repo}/issues/comments/{comment_id}',
  'post /repos/{owner}/{repo}/check-runs',
  'get /repos/{owner}/{repo}/check-runs/{check_run_id}',
  'patch /repos/{owner}/{repo}/check-runs/{check_run_id}',
  'get /repos/{owner}/{repo}/deployments',
  'post /repos/{owner}/{repo}/deployments',
  'post /repos/{owner}/{repo}/deployments/{deployment_id}/statuses',
  'get /repos/{owner}/{repo}/issues/{issue_number}/events',
  'get /repos/{owner}/{repo}/issues/{issue_number}/labels',
  'get /repos/{owner}/{repo}/actions/runs/{run_id}/artifacts',
  'get /repos/{owner}/{repo}/actions/artifacts/{artifact_id}/{archive_format}',
  'get /repos/{owner}/{repo}/pulls',
  'get /repos/{owner}/{repo}/pulls/{pull_number}/files',
] as const;

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function object(value: Json | undefined, what: string): { readonly [key: string]: Json } {
  if (!isObject(value)) throw new Error(`${what} is not in @octokit/openapi@${version}`);
  return value;
}

/** What validation does not read. */
const prose = new Set([
  'description',
  'summary',
  'example',
  'examples',
  'externalDocs',
  'tags',
  'title',
  'x-github',
  'headers',
  'links',
]);

function withoutProse(value: Json, names: boolean): Json {
  if (Array.isArray(value)) return value.map((item) => withoutProse(item, false));
  if (!isObject(value)) return value;
  const kept: Record<string, Json> = {};
  for (const [key, item] of Object.entries(value)) {
    // Under `properties` a key is the name of a field, which may well be "description".
    if (!names && (prose.has(key) || key.startsWith('x-octokit'))) continue;
    kept[key] = withoutProse(item, key === 'properties');
  }
  return kept;
}

function referencesIn(value: Json): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    key === '$ref' && typeof item === 'string' ? [item] : referencesIn(item),
  );
}

function readDocument(): { readonly [key: string]: Json } {
  const directory = cacheDirectory('openapi');
  const tarball = join(directory, `octokit-openapi-${version}.tgz`);
  if (!existsSync(tarball)) {
    execFileSync('npm', ['pack', '--silent', `@octokit/openapi@${version}`], { cwd: directory, stdio: 'inherit' });
  }
  const text = execFileSync('tar', ['-xzOf', tarball, 'package/generated/api.github.com.json'], {
    maxBuffer: 64 * 1024 * 1024,
  });
  const parsed: unknown = JSON.parse(text.toString('utf8'));
  return object(parsed as Json, 'The document');
}

const document = readDocument();
const paths: Record<string, Record<string, Json>> = {};
for (const operation of operations) {
  const [method = '', path = ''] = operation.split(' ');
  const found = object(object(object(document['paths'], 'paths')[path], path)[method], operation);
  const responses = object(found['responses'], `${operation}: responses`);
  const slim = withoutProse(
    {
      operationId: found['operationId'] ?? null,
      parameters: found['parameters'] ?? [],
      ...(found['requestBody'] === undefined ? {} : { requestBody: found['requestBody'] }),
      responses: Object.fromEntries(Object.entries(responses).filter(([status]) => status.startsWith('2'))),
    },
    false,
  );
  paths[path] = { ...paths[path], [method]: slim };
}

const components: Record<string, Record<string, Json>> = {};
const waiting = [...referencesIn(paths)];
for (let reference = waiting.pop(); reference !== undefined; reference = waiting.pop()) {
  const [, , kind = '', name = ''] = reference.split('/');
  if (kind === 'examples' || components[kind]?.[name] !== undefined) continue;
  const found = object(object(document['components'], 'components')[kind], kind)[name];
  const slim = withoutProse(object(found, reference), false);
  components[kind] = { ...components[kind], [name]: slim };
  waiting.push(...referencesIn(slim));
}

const result = {
  openapi: document['openapi'],
  info: {
    title: 'GitHub v3 REST API, the operations Sluice uses',
    version: String(object(document['info'], 'info')['version']),
    license: { name: 'MIT', url: 'https://spdx.org/licenses/MIT' },
    'x-source': `@octokit/openapi@${version}, generated/api.github.com.json, Copyright (c) 2020 Octokit contributors; see openapi.LICENSE`,
  },
  paths,
  components,
};
const directory = import.meta.dirname;
writeFileSync(join(directory, 'openapi.json'), `${JSON.stringify(result, null, 1)}\n`);
const tarball = join(cacheDirectory('openapi'), `octokit-openapi-${version}.tgz`);
writeFileSync(join(directory, 'openapi.LICENSE'), execFileSync('tar', ['-xzOf', tarball, 'package/LICENSE']));
