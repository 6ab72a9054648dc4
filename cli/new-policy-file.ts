import { existsSync } from 'node:fs';
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
