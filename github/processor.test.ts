import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { thisProcessor } from './processor.ts';

const directory = mkdtempSync(join(tmpdir(), 'sluice-processor-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const flagsOf = (listing: string) => {
  writeFileSync(join(directory, 'cpuinfo'), listing);
  return thisProcessor(join(directory, 'cpuinfo')).flags;
};

it('tells the instructions that kernels are chosen by, on Intel, AMD and Arm', () => {
  expect(flagsOf('processor\t: 0\nflags\t\t: fpu sse4_2 avx2 avx512_vnni amx_tile fma avx fma3x\n')).toEqual([
    'amx_tile',
    'avx',
    'avx2',
    'avx512_vnni',
    'fma',
    'sse4_2',
  ]);
  expect(flagsOf('processor : 0\nFeatures : fp asimd sve2 i8mm crc32\n')).toEqual(['asimd', 'i8mm', 'sve2']);
});

it('tells none where the system lists none', () => {
  expect(thisProcessor(join(directory, 'absent')).flags).toEqual([]);
});
