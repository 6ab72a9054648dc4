import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { InputError, type Place } from '../core/problem/index.ts';
import { parseReport, type Report } from '../core/report/index.ts';
import { excerpt } from '../core/text/index.ts';
import { fileTrouble } from './traffic/file-trouble.ts';

const largest = 32 * 1024 * 1024;

/**
 * The order A/B, canary, full: the A/B evaluation's report must be there, must have passed, and must be of this very model file, or nothing
 * moves. Throws an `InputError` that says which of these it is.
 */
export async function requireAbReport(wanted: {
  readonly report: string;
  readonly model: string;
  /** What both paths are relative to. */
  readonly directory: string;
  readonly place: Place;
}): Promise<void> {
  const { place, directory } = wanted;
  const report = await reportOf(resolve(directory, wanted.report), wanted.report, place);
  if (report.verdict !== 'passed') {
    throw new InputError({
      code: 'ab-not-passed',
      message: 'the A/B evaluation has not passed, so no canary follows it',
      place,
      found: excerpt(report.headline, 200),
      fix: 'Mend the model, or evaluate it again.',
    });
  }
  const sha256 = await digestOf(resolve(directory, wanted.model), wanted.model, place);
  if (report.candidate?.sha256 === sha256) return;
  throw new InputError({
    code: 'ab-of-another-model',
    message: 'the A/B evaluation is of another model file',
    place,
    found: report.candidate === undefined ? 'a report that names no model' : report.candidate.sha256.slice(0, 12),
    expected: sha256.slice(0, 12),
    fix: 'Evaluate the file that is rolled out.',
  });
}

async function reportOf(file: string, name: string, place: Place): Promise<Report> {
  try {
    if ((await stat(file)).size > largest) throw new Error('it is too large');
    return parseReport(await readFile(file));
  } catch (cause) {
    throw new InputError(
      {
        code: 'no-ab-report',
        message: `the A/B evaluation's report cannot be read (${fileTrouble(cause)})`,
        place,
        found: excerpt(name),
        fix: 'Let the A/B evaluation run first, and give the report.json that it wrote.',
      },
      { cause },
    );
  }
}

async function digestOf(file: string, name: string, place: Place): Promise<string> {
  try {
    const hash = createHash('sha256');
    await pipeline(createReadStream(file), hash);
    return hash.digest('hex');
  } catch (cause) {
    throw new InputError(
      {
        code: 'missing-file',
        message: 'the model file cannot be read',
        place,
        found: excerpt(name),
        fix: 'Check "model.path", and that the file was brought (Git LFS, an artifact).',
      },
      { cause },
    );
  }
}
