import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { InputError } from '../core/problem/index.ts';
import { parsedJson } from '../core/text/index.ts';

/**
 * The SHA-256 that was released: as given, or of a release manifest's model. Throws an `InputError` for a manifest that cannot be read or says
 * none, and for both.
 */
export async function releasedDigest(
  { sha256, manifest }: { readonly sha256?: string; readonly manifest?: string },
  directory: string,
): Promise<string | undefined> {
  if (manifest === undefined) return sha256;
  const place = { file: manifest };
  if (sha256 !== undefined) {
    throw new InputError({
      code: 'two-digests',
      message: '--sha256 and --manifest both say which model was released',
      place,
      fix: 'Give one of them.',
    });
  }
  const text = await readFile(resolve(directory, manifest), 'utf8').catch((cause: unknown) => {
    throw new InputError(
      { code: 'missing-file', message: 'the release manifest cannot be read', place, fix: 'Check the path.' },
      { cause },
    );
  });
  const released = parsedJson(text) as { readonly model?: { readonly sha256?: unknown } | null } | null | undefined;
  const digest = released?.model?.sha256;
  if (typeof digest === 'string') return digest;
  throw new InputError({
    code: 'bad-manifest',
    message: 'the release manifest says no digest of its model',
    place,
    expected: '{ "model": { "path": "...", "sha256": "..." } }',
    fix: 'Write the digest there: sha256sum model.onnx.',
  });
}
