import { App, Stack } from 'aws-cdk-lib';
import { describe } from 'vitest';
import { retentionConformance, ruleFindings, rulesConformance } from './conformance.ts';
import { exemptions, gallery } from './fixtures/gallery/index.ts';
import { templateOf } from './fixtures/synthesized.ts';

describe('the rules of AWS Solutions', () => {
  const found = Object.entries(gallery).flatMap(([name, build]) =>
    ruleFindings((outdir) => {
      const app = new App({ outdir, analyticsReporting: false });
      build(new Stack(app, 'Stack'));
      return app;
    }).map((finding) => ({ name, ...finding })),
  );
  rulesConformance(found, exemptions);
});

describe.each(Object.entries(gallery))('%s', (_name, build) => {
  retentionConformance(templateOf(build));
});
