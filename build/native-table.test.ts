import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { nativeTable } from './native-table.ts';

test('the native packages that may be downloaded are exactly those of package-lock.json', async () => {
  const committed = await readFile(new URL('../core/native/packages.json', import.meta.url), 'utf8');
  expect(committed, 'run node build/native-table.ts').toBe(await nativeTable());
});
