import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Files } from './runner/index.ts';

/** This repository's root. Its node_modules holds the native parts, so it serves as SLUICE_NATIVE_DIR. */
export const root = join(import.meta.dirname, '..');

/** Every file of a folder of this repository, by its path in that folder. */
export function filesOf(folder: string): Files {
  const directory = join(root, folder);
  return Object.fromEntries(
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => {
        const path = join(entry.parentPath, entry.name);
        return [path.slice(directory.length + 1), readFileSync(path)];
      }),
  );
}

/** The policy of examples/breast-cancer, for a repository whose model is at one path and whose baseline is on the base branch. */
export const breastCancerPolicy = readFileSync(join(root, 'examples/breast-cancer/sluice.yaml'), 'utf8')
  .replace(/^ {2}path: .*$/m, '  path: models/model.onnx')
  .replace(/^ {2}# A file of its own[\s\S]*?^ {2}baseline:.*\n/m, '');

/** One of the example's models: what it is good for is in its README. */
export function breastCancerModel(name: 'baseline' | 'good' | 'uncertain' | 'worse'): Buffer {
  return readFileSync(join(root, 'examples/breast-cancer/models', `${name}.onnx`));
}

/** examples/breast-cancer as a repository of its own: main holds the policy, the data and the model in use. */
export function breastCancerMain(): Files {
  const data = filesOf('examples/breast-cancer/data');
  return {
    'sluice.yaml': breastCancerPolicy,
    'models/model.onnx': breastCancerModel('baseline'),
    ...Object.fromEntries(Object.entries(data).map(([name, content]) => [`data/${name}`, content])),
  };
}
