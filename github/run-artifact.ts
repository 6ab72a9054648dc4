import { buffer } from 'node:stream/consumers';
import type { Entry, ZipFile } from 'yauzl';
import { InputError, PeerError } from '../core/problem/index.ts';
import { excerpt } from '../core/text/index.ts';
import type { GitHubApi } from './api.ts';
import { describeApiFailure } from './api-failure.ts';

/** Bytes of an artifact, packed: far more than a report and its page are, and little enough to hold. */
export const artifactLimitBytes = 64 * 1024 * 1024;

/** One file of an artifact: where it is, and how large it may be. */
export interface WantedFile {
  readonly runId: number;
  readonly artifact: string;
  /** The file's name, whatever folder it is in. */
  readonly file: string;
  readonly limitBytes: number;
}

/**
 * One file out of an artifact that a run uploaded, in memory: nothing of a stranger's archive is ever written to a disk, so no name in it can
 * lead anywhere. Throws an `InputError` when the run has no such artifact, or the archive no such file; a `PeerError` when GitHub does not
 * give it.
 */
export async function fileOfArtifact(wanted: WantedFile, api: GitHubApi): Promise<Buffer> {
  const client = await api.client();
  const at = { owner: api.owner, repo: api.repo };
  const unreachable = (error: unknown) =>
    new PeerError(
      {
        code: 'artifact-unreachable',
        message: `the artifact "${excerpt(wanted.artifact)}" of run ${wanted.runId} could not be had: ${describeApiFailure(error, 'actions: read', false)}`,
      },
      { cause: error },
    );
  const listed = await client
    .paginate(client.rest.actions.listWorkflowRunArtifacts, {
      ...at,
      run_id: wanted.runId,
      name: wanted.artifact,
      per_page: 100,
    })
    .catch((error: unknown) => {
      throw unreachable(error);
    });
  // A run that was tried again has one for each attempt; the last one uploaded counts.
  const found = listed
    .filter(({ name, expired }) => name === wanted.artifact && !expired)
    .toSorted((one, other) => other.id - one.id)[0];
  if (found === undefined) {
    throw new InputError({
      code: 'no-artifact',
      message: `run ${wanted.runId} has no artifact "${excerpt(wanted.artifact)}"`,
      found: listed.length === 0 ? 'none of that name' : 'one that has expired',
      fix: 'In the gate\'s workflow, upload its folder: "- if: always()", "uses: actions/upload-artifact@v4", "with: { name: sluice-report, path: sluice-report/report.json }".',
    });
  }
  if (found.size_in_bytes > artifactLimitBytes) {
    throw new InputError({
      code: 'artifact-too-large',
      message: `the artifact "${excerpt(wanted.artifact)}" of run ${wanted.runId} is too large to read`,
      found: `${found.size_in_bytes} bytes`,
      expected: `at most ${artifactLimitBytes} bytes`,
      fix: 'Upload report.json alone.',
    });
  }
  const downloaded = await client.rest.actions
    .downloadArtifact({ ...at, artifact_id: found.id, archive_format: 'zip' })
    .catch((error: unknown) => {
      throw unreachable(error);
    });
  return fileOfArchive(Buffer.from(downloaded.data as ArrayBuffer), wanted);
}

/**
 * The file of that name in a ZIP archive, at its top or in its only folder that has one. Throws an `InputError` that says what is wrong with the
 * archive.
 */
export async function fileOfArchive(
  archive: Buffer,
  { file, limitBytes, artifact }: Pick<WantedFile, 'file' | 'limitBytes' | 'artifact'>,
): Promise<Buffer> {
  const { fromBufferPromise } = await import('yauzl');
  const shown = `the artifact "${excerpt(artifact)}"`;
  const entries: Entry[] = [];
  let zip: ZipFile;
  try {
    zip = await fromBufferPromise(archive, { validateEntrySizes: true, strictFileNames: true });
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName === file || entry.fileName.endsWith(`/${file}`)) entries.push(entry);
    }
  } catch (error) {
    throw broken(shown, error);
  }
  const entry = entries.find(({ fileName }) => fileName === file) ?? entries[0];
  if (entry === undefined || (entry.fileName !== file && entries.length > 1)) {
    throw new InputError({
      code: 'no-report-in-artifact',
      message: `${shown} holds ${entry === undefined ? `no ${excerpt(file)}` : `more than one ${excerpt(file)}`}`,
      fix: `Upload one gate's report folder to an artifact, or its ${excerpt(file)} alone.`,
    });
  }
  if (entry.uncompressedSize > limitBytes) {
    throw new InputError({
      code: 'report-too-large',
      message: `${excerpt(file)} in ${shown} is too large to read`,
      found: `${entry.uncompressedSize} bytes`,
      expected: `at most ${limitBytes} bytes`,
    });
  }
  try {
    // The size is the archive's word: yauzl ends the stream with an error where it is not true.
    return await buffer(await zip.openReadStreamPromise(entry));
  } catch (error) {
    throw broken(shown, error);
  }
}

function broken(shown: string, cause: unknown): InputError {
  return new InputError(
    {
      code: 'broken-archive',
      message: `${shown} is not a ZIP archive that can be read`,
      found: excerpt(cause instanceof Error ? cause.message : String(cause)),
      fix: 'Upload it again with actions/upload-artifact.',
    },
    { cause },
  );
}
