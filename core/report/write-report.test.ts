import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { InputError } from '../problem/index.ts';
import { errorReport, passedReport } from './fixture-reports.ts';
import { renderJson } from './render-json.ts';
import { writeReport } from './write-report.ts';

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-report-'));
});
afterAll(() => rm(directory, { recursive: true }));

test('writes the five files into a directory it makes, and leaves nothing else there', async () => {
  const target = join(directory, 'deep/er');
  const files = await writeReport(passedReport, target);
  expect((await readdir(target)).toSorted()).toEqual([
    'report.html',
    'report.json',
    'report.junit.xml',
    'report.md',
    'report.sarif',
  ]);
  expect(await readFile(files.json, 'utf8')).toBe(renderJson(passedReport));
  expect(await readFile(files.html, 'utf8')).toMatch(/^<!doctype html>/);
});

test('replaces an earlier report', async () => {
  const target = join(directory, 'twice');
  await writeReport(passedReport, target);
  const files = await writeReport(errorReport, target);
  expect(await readFile(files.json, 'utf8')).toBe(renderJson(errorReport));
});

test('a file in place of the directory is an InputError that says so', async () => {
  const file = join(directory, 'taken');
  await writeFile(file, '');
  const failure = await writeReport(passedReport, file).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(InputError);
  expect(failure).toMatchObject({ problems: [{ code: 'report-directory-is-a-file', place: { file } }] });
});

test('a directory that cannot be made is an InputError that names it', async () => {
  const file = join(directory, 'blocked');
  await writeFile(file, '');
  const failure = await writeReport(passedReport, join(file, 'below')).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(InputError);
  expect(failure).toMatchObject({ problems: [{ code: 'report-not-written' }] });
});

test('nothing half-written stays when a file of the report cannot be replaced', async () => {
  const target = join(directory, 'half');
  await writeReport(passedReport, target);
  await rm(join(target, 'report.md'));
  const blocked = join(target, 'report.md', 'x');
  await mkdir(blocked, { recursive: true });
  await expect(writeReport(errorReport, target)).rejects.toBeInstanceOf(InputError);
  expect((await readdir(target)).filter((name) => name.includes('unfinished'))).toEqual([]);
});
