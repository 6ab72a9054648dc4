import { writeFile } from 'node:fs/promises';
import type { GitHubApi } from './api.ts';
import { statusOf } from './api-failure.ts';
import { type CommitFiles, NotAFile } from './stored-file.ts';

/** The files of a commit as GitHub's contents API gives them; above 1 MB, which it leaves out, the blobs API (up to 100 MB). */
export function apiCommit(sha: string, api: GitHubApi): CommitFiles {
  return {
    async open(path) {
      const client = await api.client();
      const { owner, repo } = api;
      const url = `/repos/{owner}/{repo}/contents/${path.split('/').map(encodeURIComponent).join('/')}`;
      let entry: unknown;
      try {
        entry = (await client.request(`GET ${url}`, { owner, repo, ref: sha })).data;
      } catch (error) {
        // The commit exists (it is the event's base), so "not found" is the path. Without the permission a private
        // repository answers the same; then the commit is asked for, to tell the two apart.
        if (statusOf(error) === 404 && (await readable(api, sha))) return undefined;
        throw error;
      }
      const file = contentEntry(entry);
      const content = async (): Promise<Buffer> => {
        if (file.encoding === 'base64') return Buffer.from(file.content, 'base64');
        const response = await client.request('GET /repos/{owner}/{repo}/git/blobs/{file_sha}', {
          owner,
          repo,
          file_sha: file.sha,
          mediaType: { format: 'raw' },
          // GitHub calls raw bytes UTF-8 text; octokit would believe it and break a binary file.
          request: { parseSuccessResponseBody: false },
        });
        return bytesOf(response.data);
      };
      return { bytes: file.size, read: content, copyTo: async (target) => writeFile(target, await content()) };
    },
  };
}

/** Whether the token can list the commit's top folder. */
async function readable(api: GitHubApi, sha: string): Promise<boolean> {
  const client = await api.client();
  try {
    await client.request('GET /repos/{owner}/{repo}/contents', { owner: api.owner, repo: api.repo, ref: sha });
    return true;
  } catch {
    return false;
  }
}

function contentEntry(entry: unknown): { sha: string; size: number; content: string; encoding: string } {
  if (Array.isArray(entry)) throw new NotAFile('a folder');
  const { type, sha, size, content, encoding } = entry as Readonly<Record<string, unknown>>;
  if (type === 'symlink') throw new NotAFile('a symbolic link');
  if (type === 'submodule') throw new NotAFile('a submodule');
  if (type !== 'file' || typeof sha !== 'string' || typeof size !== 'number') {
    throw new Error('GitHub answered with something that is not a file');
  }
  return {
    sha,
    size,
    content: typeof content === 'string' ? content : '',
    encoding: typeof encoding === 'string' ? encoding : 'none',
  };
}

async function bytesOf(body: unknown): Promise<Buffer> {
  if (!(body instanceof Object) || !(Symbol.asyncIterator in body)) throw new Error('GitHub answered without a body');
  const chunks: Uint8Array[] = [];
  for await (const chunk of body as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
