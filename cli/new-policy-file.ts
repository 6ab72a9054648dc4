import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { InputError } from '../core/problem/index.ts';

/** Throws an `InputError` where a policy would be written over one that is there. `named`: the file as the user wrote it. */
export function requireNew(file: string, named: string, force: boolean | undefined): void {
  if (force === true || !existsSync(file)) return;
  throw new InputError({
    code: 'file-exists',
    message: 'there is a policy already',
    place: { file: named },
    fix: 'Give another file with --output, or overwrite it with --force.',
  });
}

/** Writes the policy that `requireNew` let pass. Throws an `InputError` where that cannot be, or where somebody else wrote one meanwhile. */
export async function writeNew(file: string, named: string, force: boolean | undefined, text: string): Promise<void> {
  await writeFile(file, text, { flag: force === true ? 'w' : 'wx' }).catch((cause: unknown) => {
    throw new InputError(
      {
        code: 'unwritable-file',
        message: `cannot write the policy (${cause instanceof Error ? cause.message : String(cause)})`,
        place: { file: named },
        fix: 'Give --output a file in a folder that exists and can be written.',
      },
      { cause },
    );
  });
}
