/**
 * Our side of `npm run bench -- gate` and `gate-memory`: `FOLDER POLICY` judges the model of a policy as the action does, and prints the seconds and the
 * observed values as JSON. Starting Node and loading the sources is not counted, as Python's imports are not.
 */
import { resolve } from 'node:path';
import { judgeModel } from '../../actions/quality-gate/run.ts';
import { openEngine } from '../../core/data/index.ts';
import { silentHost } from '../../core/host/index.ts';
import { headOnly, readPolicy } from '../../core/policy/index.ts';

const [folder = '', file = ''] = process.argv.slice(2);
const policy = headOnly(await readPolicy(resolve(folder, file)));
const began = performance.now();
await using engine = await openEngine({ directories: [folder], memoryLimit: '1GB' });
const { checks } = await judgeModel({ policy, directory: folder, engine, host: silentHost });
const seconds = (performance.now() - began) / 1e3;
const metrics = Object.fromEntries(checks.map(({ id, observed }) => [id.split('/')[1] ?? '', observed]));
const methods = Object.fromEntries(checks.map(({ id, evidence }) => [id, evidence?.method ?? '']));
const memoryMb = process.resourceUsage().maxRSS / 1e3;
console.log(JSON.stringify({ seconds, metrics, methods, memoryMb }));
