/**
 * `npm run bench -- NAME [--json]`: measures, side by side and interleaved, and prints a table; with `--json` the last line is one
 * JSON object. `bench/RESULTS.md` keeps what was measured, where and how.
 */
import { cpus, release } from 'node:os';
import { coldStart } from './cold-start.ts';

export interface Measurement {
  /** What `--json` prints. */
  readonly json: Readonly<Record<string, number>>;
  readonly rows: readonly Readonly<Record<string, string | number>>[];
  /** What the numbers are held to, and whether they keep it. */
  readonly bound: { readonly text: string; readonly holds: boolean };
}

const benchmarks: Readonly<Record<string, () => Promise<Measurement>>> = { 'cold-start': coldStart };

const asJson = process.argv.includes('--json');
const [name = ''] = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const benchmark = benchmarks[name];
if (benchmark === undefined) {
  console.error(`npm run bench -- NAME [--json]    NAME is one of: ${Object.keys(benchmarks).join(', ')}`);
  process.exit(1);
}
const { json, rows, bound } = await benchmark();
if (asJson) console.log(JSON.stringify(json));
else {
  console.log(
    `${name} on ${cpus()[0]?.model ?? 'an unknown CPU'} (${cpus().length} cores), ${process.platform} ${release()}, Node ${process.version}`,
  );
  console.table(rows);
  console.log(`${bound.holds ? 'holds' : 'BROKEN'}: ${bound.text}`);
}
