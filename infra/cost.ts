/** `npx node cost.ts [cdk.out]`: what every synthesized stack costs for an hour when nothing happens, as far as prices are known. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CostedTemplate, standingCost } from './cost/standing-cost.ts';

const [folder = 'cdk.out'] = process.argv.slice(2);
const ending = '.template.json';
let sum = 0;
let unknown = 0;
for (const file of readdirSync(folder).filter((name) => name.endsWith(ending))) {
  const { items, atLeast } = standingCost(JSON.parse(readFileSync(join(folder, file), 'utf8')) as CostedTemplate);
  sum += atLeast;
  for (const { what, count, dollars } of items) {
    if (dollars === undefined) unknown++;
    console.log(
      `${file.slice(0, -ending.length)}: ${count} x ${what}: ${dollars === undefined ? 'unknown' : `$${dollars.toFixed(3)}`}`,
    );
  }
}
console.log(
  `at least $${sum.toFixed(2)} an hour in us-east-1, and ${unknown} whose price is not known here; training, storage and use come on top`,
);
