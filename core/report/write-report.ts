import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../problem/index.ts';
import { renderHtml } from './html.ts';
import { renderJunit } from './junit/render-junit.ts';
import { renderMarkdown } from './markdown/render-markdown.ts';
import { renderJson } from './render-json.ts';
import type { Report } from './report.ts';
import { renderSarif } from './sarif/render-sarif.ts';
import { writeWhole } from './whole-files.ts';

/** Paths of the files one report was written to. */
export interface ReportFiles {
  readonly json: string;
  readonly html: string;
  readonly markdown: string;
  readonly junit: string;
  readonly sarif: string;
}

/**
 * Writes report.json, report.html, report.md, report.junit.xml and report.sarif into `directory`, which is made if it is not there. Each file is
 * written beside its name and renamed, so a reader never sees half of one. `InputError` when the directory is a file or cannot be
 * written.
 */
export async function writeReport(report: Report, directory: string): Promise<ReportFiles> {
  const files: ReportFiles = {
    json: join(directory, 'report.json'),
    html: join(directory, 'report.html'),
    markdown: join(directory, 'report.md'),
    junit: join(directory, 'report.junit.xml'),
    sarif: join(directory, 'report.sarif'),
  };
  const contents: readonly (readonly [string, string])[] = [
    [files.json, renderJson(report)],
    [files.html, await renderHtml(report)],
    [files.markdown, renderMarkdown(report)],
    [files.junit, renderJunit(report)],
    [files.sarif, renderSarif(report)],
  ];
  await writeWhole(contents).catch(async (cause: unknown) => {
    throw await notWritten(directory, cause);
  });
  return files;
}

async function notWritten(directory: string, cause: unknown): Promise<InputError> {
  const place = { file: directory };
  const isFile = await stat(directory).then(
    (found) => !found.isDirectory(),
    () => false,
  );
  if (isFile) {
    return new InputError(
      {
        code: 'report-directory-is-a-file',
        message: 'the report directory is a file',
        place,
        fix: 'Name a directory; it is made if it is not there.',
      },
      { cause },
    );
  }
  return new InputError(
    {
      code: 'report-not-written',
      message: 'the report cannot be written there',
      place,
      ...(cause instanceof Error ? { found: cause.message } : {}),
      fix: 'Name a directory that this process may write to, on a disk with room.',
    },
    { cause },
  );
}
