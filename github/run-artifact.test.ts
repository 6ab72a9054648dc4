import { describe, expect, test } from 'vitest';
import { type Answer, ApiStandIn } from './api-stand-in.ts';
import { artifactLimitBytes, fileOfArchive, fileOfArtifact } from './run-artifact.ts';
import { zipArchive } from './zip-archive.ts';

const wanted = { runId: 17, artifact: 'sluice-report', file: 'report.json', limitBytes: 1000 };
const reading = (archive: Buffer) => fileOfArchive(archive, wanted).then(String);

describe('the file of an archive', () => {
  test('is read from its top, or from the one folder that has it', async () => {
    const other = { name: 'report.html', content: '<p>' };
    expect(await reading(zipArchive([other, { name: 'report.json', content: '{"a":1}' }]))).toBe('{"a":1}');
    expect(await reading(zipArchive([{ name: 'sluice-report/report.json', content: '{}' }, other]))).toBe('{}');
  });

  test('is the one at the top where a folder has another', async () => {
    const archive = zipArchive([
      { name: 'x/report.json', content: 'folder' },
      { name: 'report.json', content: 'top' },
    ]);
    expect(await reading(archive)).toBe('top');
  });

  test.each([
    ['no such file', [{ name: 'report.html', content: '' }], 'no-report-in-artifact'],
    [
      'two of them in folders',
      [
        { name: 'a/report.json', content: '1' },
        { name: 'b/report.json', content: '2' },
      ],
      'no-report-in-artifact',
    ],
    ['one beyond the limit', [{ name: 'report.json', content: 'x'.repeat(1001) }], 'report-too-large'],
    [
      'one that is larger than it says (a bomb)',
      [{ name: 'report.json', content: 'x'.repeat(1_000_000), claimedSize: 900 }],
      'broken-archive',
    ],
    ['a name that leads outside', [{ name: '../report.json', content: '{}' }], 'broken-archive'],
    ['an absolute name', [{ name: '/etc/report.json', content: '{}' }], 'broken-archive'],
    ['a backslash in a name', [{ name: 'a\\report.json', content: '{}' }], 'broken-archive'],
  ])('is refused with %s', async (_what, entries, code) => {
    await expect(reading(zipArchive(entries))).rejects.toMatchObject({ problems: [{ code }] });
  });

  test('is refused where the archive is cut off at any place', async () => {
    const archive = zipArchive([{ name: 'report.json', content: '{"verdict":"passed"}' }]);
    for (let length = 0; length < archive.length; length++) {
      await expect(reading(archive.subarray(0, length))).rejects.toMatchObject({
        problems: [{ code: 'broken-archive' }],
      });
    }
  });

  test("is what Python's zipfile packed", async () => {
    const archive = Buffer.from(
      'UEsDBBQAAAAIAAAAdV2dEpsLCQAAAAcAAAALAAAAcmVwb3J0Lmpzb26rVipQsjKsBQBQSwECFAMUAAAACAAAAHVdnRKbCwkAAAAHAAAACwAAAAAAAAAAAAAAgAEAAAAAcmVwb3J0Lmpzb25QSwUGAAAAAAEAAQA5AAAAMgAAAAAA',
      'base64',
    );
    expect(await reading(archive)).toBe('{"p":1}');
  });
});

describe('an artifact', () => {
  const listing = (...artifacts: readonly object[]): Answer => ({
    body: { total_count: artifacts.length, artifacts },
  });
  const artifact = (id: number, more: object = {}) => ({
    id,
    name: 'sluice-report',
    size_in_bytes: 500,
    expired: false,
    ...more,
  });
  const asking = async (list: Answer, download: Answer) => {
    await using github = await ApiStandIn.start(({ url }) => (url.includes('/zip') ? download : list));
    try {
      const content = await fileOfArtifact(wanted, github.api());
      return { content: String(content), asked: github.received.map(({ url }) => url) };
    } catch (error) {
      return { error, asked: github.received.map(({ url }) => url) };
    }
  };
  const archive = { body: zipArchive([{ name: 'report.json', content: '{}' }]) };

  test('of the last attempt counts', async () => {
    const { content, asked } = await asking(listing(artifact(3), artifact(9), artifact(5)), archive);
    expect(content).toBe('{}');
    expect(asked.at(-1)).toBe('/repos/acme/models/actions/artifacts/9/zip');
  });

  test.each([
    ['is not there', listing(), 'no-artifact'],
    ['has expired', listing(artifact(1, { expired: true })), 'no-artifact'],
    ['has another name', listing(artifact(1, { name: 'sluice-report-2' })), 'no-artifact'],
    ['is too large', listing(artifact(1, { size_in_bytes: artifactLimitBytes + 1 })), 'artifact-too-large'],
  ])('that %s is an error, and nothing is downloaded', async (_what, list, code) => {
    const { error, asked } = await asking(list, archive);
    expect(error).toMatchObject({ problems: [{ code, fix: expect.any(String) }] });
    expect(asked.some((url) => url.includes('/zip'))).toBe(false);
  });

  test('that may not be read names the permission', async () => {
    const refused: Answer = { status: 403, body: { message: 'Resource not accessible by integration' } };
    for (const [list, download] of [
      [refused, archive],
      [listing(artifact(1)), refused],
    ] as const) {
      const { error } = await asking(list, download);
      expect(error).toMatchObject({ problems: [{ code: 'artifact-unreachable' }] });
      expect(String((error as Error).message)).toContain('actions: read');
    }
  });
});
