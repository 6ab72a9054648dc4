import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The program's file name, in the package and in the driver. */
export const programName = 'score_parquet.py';

/**
 * The PySpark program that scores Parquet with an ONNX model. It is a file of the package, beside this one in the sources; what is compiled is
 * in `lib`, with the sources' folders under it.
 * @throws when the package was not installed whole
 */
export function scoringProgram(): string {
  const places = ['.', join('..', '..', '..', '..', 'constructs', 'kubernetes', 'batch')];
  const path = places.map((place) => join(import.meta.dirname, place, programName)).find(existsSync);
  if (path === undefined) throw new Error(`${programName} is missing from the package. Install sluice again.`);
  return readFileSync(path, 'utf8');
}
