import { open, stat } from 'node:fs/promises';
import { PolicyError } from '../problem/index.ts';
import type { LoadedPolicy } from './loaded-policy.ts';
import { maximumPolicyBytes, parsePolicy, tooLarge } from './parse-policy.ts';

/**
 * Reads the policy in `file`; `name` is what places call it (default: `file` as given). Throws a `PolicyError` when the file is
 * missing, not a file, too large or not UTF-8, and for everything `parsePolicy` refuses.
 */
export async function readPolicy(file: string, name: string = file): Promise<LoadedPolicy> {
  return parsePolicy(await readCapped(file, name), name);
}

async function readCapped(file: string, name: string): Promise<Uint8Array> {
  try {
    // Opening a pipe or a device could wait for ever, so it is looked at first.
    const facts = await stat(file);
    if (!facts.isFile()) {
      throw new PolicyError({
        code: 'policy-not-a-file',
        message: facts.isDirectory() ? 'the policy is a directory' : 'the policy is not a regular file',
        place: { file: name },
        expected: 'a YAML file',
        fix: facts.isDirectory() ? 'Name the file in it, such as sluice.yaml.' : 'Name a file.',
      });
    }
    if (facts.size > maximumPolicyBytes) throw tooLarge(facts.size, name);
    const handle = await open(file);
    try {
      const bytes = new Uint8Array(maximumPolicyBytes + 1);
      let length = 0;
      while (length < bytes.length) {
        const { bytesRead } = await handle.read(bytes, length, bytes.length - length);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
      return bytes.subarray(0, length);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof PolicyError) throw error;
    throw unreadable(error, name);
  }
}

function unreadable(error: unknown, file: string): PolicyError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const missing = code === 'ENOENT' || code === 'ENOTDIR';
  return new PolicyError(
    {
      code: missing ? 'missing-file' : 'unreadable-file',
      message: missing ? 'the policy file does not exist' : `the policy file cannot be read (${String(code ?? error)})`,
      place: { file },
      fix: missing
        ? 'Check the path, or let `sluice init` write a first policy.'
        : code === 'ELOOP'
          ? 'Commit the file itself instead of a link that leads back to itself.'
          : 'Check its permissions.',
    },
    { cause: error },
  );
}
