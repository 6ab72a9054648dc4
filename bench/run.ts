/**
 * `npm run bench -- NAME [--json]`: measures, side by side and interleaved, and prints tables; with `--json` the last line is one
 * JSON object. `bench/RESULTS.md` keeps what was measured, where and how.
 */
import { cpus, loadavg, release } from 'node:os';
import { canary } from './canary.ts';
import { canaryPeers } from './canary-peers.ts';
import { canaryStatistics } from './canary-statistics.ts';
import { coldStart } from './cold-start.ts';
import { dataValidation } from './data-validation.ts';
import { gate } from './gate.ts';
import { gateCalibration } from './gate-calibration.ts';
import { gateMemory } from './gate-memory.ts';
import { loadClients } from './load-clients.ts';
import type { Measurement } from './measurement.ts';
import { serving } from './serving.ts';
import { servingOverload } from './serving-overload.ts';
import { synth } from './synth.ts';

const benchmarks: Readonly<Record<string, () => Promise<Measurement>>> = {
  canary,
  'canary-peers': canaryPeers,
  'canary-statistics': canaryStatistics,
  'cold-start': coldStart,
  'data-validation': dataValidation,
  gate,
  'gate-calibration': gateCalibration,
  'gate-memory': gateMemory,
  'load-clients': loadClients,
  serving,
  'serving-overload': servingOverload,
  synth,
};

const asJson = process.argv.includes('--json');
const [name = ''] = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const benchmark = benchmarks[name];
if (benchmark === undefined) {
  console.error(`npm run bench -- NAME [--json]    NAME is one of: ${Object.keys(benchmarks).join(', ')}`);
  process.exit(1);
}
const [load = 0] = loadavg();
const { json, tables, bounds } = await benchmark();
if (asJson) console.log(JSON.stringify(json));
else {
  console.log(
    `${name} on ${cpus()[0]?.model ?? 'an unknown CPU'} (${cpus().length} cores, load ${load.toFixed(1)} before), ` +
      `${process.platform} ${release()}, Node ${process.version}`,
  );
  for (const { title, rows } of tables) {
    console.log(`\n${title}`);
    console.table(rows);
  }
  for (const { text, holds } of bounds) console.log(`${holds ? 'holds' : 'BROKEN'}: ${text}`);
}
