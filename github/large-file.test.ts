import { expect, test } from 'vitest';
import { largeFilePointer } from './large-file.ts';

const oid = 'ab'.repeat(32);
const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize 12345\n`;

test('reads a pointer, with extensions and with Windows line ends', () => {
  expect(largeFilePointer(Buffer.from(pointer))).toEqual({ oid, bytes: 12345 });
  expect(largeFilePointer(Buffer.from(pointer.replaceAll('\n', '\r\n')))).toEqual({ oid, bytes: 12345 });
  const extended = pointer.replace('oid ', `ext-0-foo sha256:${'0'.repeat(64)}\noid `);
  expect(largeFilePointer(Buffer.from(extended))).toEqual({ oid, bytes: 12345 });
});

test.each([
  ['an ordinary file', 'version: 1\n'],
  ['another hash', pointer.replace('sha256', 'md5')],
  ['a short digest', pointer.replace(oid, 'ab')],
  ['a negative size', pointer.replace('12345', '-1')],
  ['text that only mentions the specification', `see ${pointer}`],
  ['a file too long to be a pointer', pointer + ' '.repeat(1024)],
  ['nothing', ''],
])('%s is not a pointer', (_what, text) => expect(largeFilePointer(Buffer.from(text))).toBeUndefined());
