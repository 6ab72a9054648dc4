import { resolve } from 'node:path';
import { InputError } from '../../../core/problem/index.ts';
import { type Report, writeWhole } from '../../../core/report/index.ts';
import { type AskedSource, renderGx } from './render-gx.ts';

/** Writes a report's data checks as JSON of Great Expectations, whole or not at all. `InputError` where the file cannot be written. */
export async function writeGx(
  report: Report,
  sources: readonly AskedSource[],
  { file, directory }: { readonly file: string; readonly directory: string },
): Promise<void> {
  const text = renderGx(report, sources);
  await writeWhole([[resolve(directory, file), text]]).catch((cause: unknown) => {
    throw new InputError(
      {
        code: 'gx-json-not-written',
        message: 'the results cannot be written there',
        place: { file },
        ...(cause instanceof Error ? { found: cause.message } : {}),
        fix: 'Name a file that this process may write, in a folder with room.',
      },
      { cause },
    );
  });
}
