import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
let exported: string | undefined;

/** This repository as a workflow that says `uses: sluice-ml/sluice@v1` gets it: what is committed, and no node_modules. */
export function exportKit(): string {
  if (exported === undefined) {
    exported = mkdtempSync(join(tmpdir(), 'sluice-kit-'));
    const archive = execFileSync('git', ['archive', 'HEAD'], { cwd: root, maxBuffer: 512 * 1024 * 1024 });
    execFileSync('tar', ['-x', '-C', exported], { input: archive });
  }
  return exported;
}
