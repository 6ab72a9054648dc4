/** `npm run synth:examples`: the manifests of every `examples/kubernetes-*`, into `build/manifests/<example>/`. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { App } from 'cdk8s';
import { root } from './source-files.ts';

interface Example {
  charts(app: App): void;
}

const out = join(root, 'build', 'manifests');
rmSync(out, { recursive: true, force: true });
for (const name of readdirSync(join(root, 'examples')).filter((each) => each.startsWith('kubernetes-'))) {
  const { charts } = (await import(`../examples/${name}/charts.ts`)) as Example;
  const app = new App({ outdir: join(out, name) });
  charts(app);
  app.synth();
  console.log(`${name}: ${app.charts.map(({ node }) => node.id).join(', ')}`);
}
