/**
 * A run that moves hosts, as a process that can be killed: `node release.ts POLICY.json DIRECTORY WEIGHT`.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { openTraffic } from '../../rollout/index.ts';

const [file = '', directory = '', weight = ''] = process.argv.slice(2);
await using provider = openTraffic(JSON.parse(readFileSync(file, 'utf8')), { directory });
const traffic = { canaryWeight: Number(weight), mirrorPercent: 0 };
await provider.move({ record: `weight ${weight}`, traffic, after: (await provider.record())?.revision });
await provider.finish(traffic.canaryWeight === 0 ? 'rolled-back' : 'promoted');
