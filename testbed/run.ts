/**
 * `npm run test:testbed`: brings the runner, runs the tests against it, and ends with `N passed, N failed`.
 * Arguments are handed on to vitest: `npm run test:testbed -- publishing`.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { controlPlaneBinary } from './kubernetes/control-plane-binary.ts';
import { kwokBinary } from './kubernetes/nodes/kwok.ts';
import { registryProgram } from './model-fetch/artifact-registry.ts';
import { versityProgram } from './model-fetch/object-store.ts';
import { orasProgram } from './model-fetch/tool-images.ts';
import { alertmanagerBinary } from './prometheus/alertmanager-binary.ts';
import { prometheusBinary, promtoolBinary } from './prometheus/prometheus-binary.ts';
import { actBinary, networkCanBeTaken } from './runner/index.ts';

function finish(passed: number, failed: number): never {
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed > 0 || passed === 0 ? 1 : 0);
}

/** What takes minutes to build the first time. Files that run side by side would each build it, in the time that a test has. */
const longBuilds = [
  controlPlaneBinary,
  promtoolBinary,
  prometheusBinary,
  alertmanagerBinary,
  kwokBinary,
  versityProgram,
  registryProgram,
  orasProgram,
] as const;

const root = join(import.meta.dirname, '..');
const files = process.argv.slice(2);
try {
  console.log(`runner: ${await actBinary()}`);
  if (files.length === 0) for (const build of longBuilds) await build();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  finish(0, 1);
}
if (!networkCanBeTaken) {
  console.log('network: this machine cannot make network namespaces, so "off" only means closed proxies and registry');
}
const scratch = mkdtempSync(join(tmpdir(), 'sluice-testbed-'));
// Servers that root starts go on as somebody else, who has to get to what is theirs in there.
chmodSync(scratch, 0o711);
const results = join(scratch, 'results.json');
const vitest = spawnSync(
  process.execPath,
  [
    join(root, 'node_modules', 'vitest', 'vitest.mjs'),
    ...['run', '--config', join(import.meta.dirname, 'vitest.config.ts')],
    ...['--reporter=default', '--reporter=json', `--outputFile.json=${results}`],
    ...files,
  ],
  {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    // Repositories, exported trees and runner folders of all tests go with the scratch folder, and what Node compiled: the tests start our sources as
    // programs hundreds of times.
    env: { ...process.env, TMPDIR: scratch, NODE_COMPILE_CACHE: join(scratch, 'compiled') },
  },
);
let passed = 0;
let failed = 0;
try {
  const counts = JSON.parse(readFileSync(results, 'utf8')) as {
    readonly numPassedTests: number;
    readonly numFailedTests: number;
    readonly numFailedTestSuites: number;
  };
  passed = counts.numPassedTests;
  // A file that cannot be loaded is a failed suite without a failed test.
  failed = Math.max(counts.numFailedTests, counts.numFailedTestSuites === 0 ? 0 : 1);
} catch {
  failed = 1;
}
rmSync(scratch, { recursive: true, force: true });
finish(passed, failed === 0 && vitest.status !== 0 ? 1 : failed);
