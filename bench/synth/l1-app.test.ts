import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { App, CfnOutput, CfnResource, Stack } from 'aws-cdk-lib';
import { expect, test } from 'vitest';
import { ModelBucket } from '../../constructs/aws/index.ts';
import { bareResourceApp, deployedText, resourceCount, stacksIn } from './l1-app.ts';

const run = promisify(execFile);

test('a program of bare resources makes what the app makes, and a different app is told apart', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-l1-'));
  try {
    const app = new App({ outdir: join(directory, 'ours'), analyticsReporting: false });
    const models = new Stack(app, 'models', { description: "What's kept" });
    const bucket = new ModelBucket(models, 'Models');
    const other = new Stack(app, 'other');
    new CfnResource(other, 'Topic', { type: 'AWS::SNS::Topic' }).addDependency(
      new CfnResource(other, 'Queue', { type: 'AWS::SQS::Queue', properties: { QueueName: bucket.bucket.bucketName } }),
    );
    new CfnOutput(other, 'Name', { value: bucket.bucket.bucketName });
    app.synth();
    const ours = stacksIn(join(directory, 'ours'));
    expect(resourceCount(ours)).toBe(7);

    symlinkSync(join(import.meta.dirname, '..', '..', 'node_modules'), join(directory, 'node_modules'));
    writeFileSync(join(directory, 'app.mjs'), bareResourceApp(ours));
    await run(process.execPath, [join(directory, 'app.mjs')], {
      env: { ...process.env, CDK_OUTDIR: join(directory, 'theirs') },
    });
    const theirs = stacksIn(join(directory, 'theirs'));
    expect(deployedText(theirs)).toBe(deployedText(ours));
    expect(deployedText(theirs.slice(1))).not.toBe(deployedText(ours));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
