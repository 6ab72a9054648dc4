import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const fileName = 'import-dashboard.cjs';

/** What CloudFormation takes of a function that stands in the template. https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-lambda-function-code.html */
export const mostInline = 4096;

/**
 * The program that imports dashboards, without its comments. It is a file of the package, beside this one in the sources; what is compiled is in
 * `lib`, with the sources' folders under it.
 * @throws when the package was not installed whole
 */
export function importProgram(): string {
  const places = ['.', join('..', '..', '..', '..', 'constructs', 'aws', 'monitoring')];
  const path = places.map((place) => join(import.meta.dirname, place, fileName)).find(existsSync);
  if (path === undefined) throw new Error(`${fileName} is missing from the package. Install sluice again.`);
  return readFileSync(path, 'utf8').replaceAll(/^\s*\/\/.*\n/gm, '');
}
