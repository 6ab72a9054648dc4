/** `npx node cost.ts [cdk.out]`: what every synthesized stack costs for an hour when nothing happens, as far as prices are known. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CostedTemplate, standingCost } from './cost/standing-cost.ts';

const [folder = 'cdk.out'] = process.argv.slice(2);
const ending = '.template.json';
let sum = 0;
let unknown = 0;
const told = (dollars: number | undefined): string => (dollars === undefined ? 'not known' : `$${dollars.toFixed(3)}`);
for (const file of readdirSync(folder).filter((name) => name.endsWith(ending))) {
  const stack = file.slice(0, -ending.length);
  const { items, inUse, atLeast } = standingCost(
    JSON.parse(readFileSync(join(folder, file), 'utf8')) as CostedTemplate,
  );
  sum += atLeast;
  for (const { what, count, dollars } of items) {
    if (dollars === undefined) unknown++;
    console.log(`${stack}: ${count} x ${what}: ${told(dollars)}`);
  }
  for (const { what, count, when, dollars } of inUse) {
    console.log(`${stack}: nothing, and ${told(dollars)} ${when}: ${count} x ${what}`);
  }
}
console.log(
  `at least $${sum.toFixed(2)} an hour in us-east-1, and ${unknown} whose price is not known here; training, storage and what is used come on top`,
);
