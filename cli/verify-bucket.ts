import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Report } from '../core/report/index.ts';
import manifest from '../package.json' with { type: 'json' };
import { addCommonFlags, type CommonFlags } from './common-flags.ts';
import { showReport } from './judge.ts';
import { releasedDigest } from './released-digest.ts';
import { perform, type Session } from './session.ts';

interface VerifyBucketFlags extends CommonFlags {
  readonly versionId?: string;
  readonly sha256?: string;
  readonly manifest?: string;
  readonly key?: string;
  readonly locked?: boolean;
  readonly report?: string;
}

/** `sluice verify-bucket`: whether S3 keeps a model as a release needs it, and whether it is the one that was released. */
export function addVerifyBucket(program: Command, session: Session): void {
  addCommonFlags(
    program
      .command('verify-bucket')
      .argument('<address>', 's3://bucket/key of a model; s3://bucket or s3://bucket/prefix/ for the bucket alone')
      .option('--version-id <id>', 'the version that was released; the current one when not given')
      .option('--sha256 <digest>', "the model's SHA-256, in hexadecimal")
      .option('--manifest <file>', 'instead: the release manifest, { "model": { "path": ..., "sha256": ... } }')
      .option('--key <arn>', 'the key of KMS that bucket and model have to be encrypted by')
      .option('--locked', 'the version has to be under object lock, now')
      .option(
        '--report <folder>',
        'write report.html, report.json, report.md, report.junit.xml and report.sarif there',
      ),
  )
    .summary('hold a bucket of models, and a model in it, against what a release needs')
    .description(
      'Asks S3 whether versions are kept, public access is blocked, access control lists give nothing away and a key encrypts; and whether the object has a ' +
        'version and is, byte for byte, the one that was released. Changes nothing. Credentials and region are those of the AWS SDK.',
    )
    .addHelpText(
      'after',
      `
Exit codes:
  0    bucket and model are what they should be
  1    it could not be judged: a wrong flag, no credentials, a right that the job's role lacks
  100  they are not

Examples:
  $ sluice verify-bucket s3://acme-models
  $ sluice verify-bucket s3://acme-models/churn/7/model.onnx --version-id 3sL4kqtJ --manifest release.json
  $ sluice verify-bucket s3://acme-models/churn/7/model.onnx --sha256 $(sha256sum model.onnx | cut -d' ' -f1) --locked`,
    )
    .action((address: string, flags: VerifyBucketFlags) =>
      perform(session, flags, async () => {
        const { openS3, verifyBucket } = await import('../core/s3/index.ts');
        const { directory, environment } = session.streams;
        const { versionId, key: keyArn, locked } = flags;
        const sha256 = await releasedDigest(flags, directory);
        const client = await openS3(environment);
        try {
          const report = await reportOf(address, {
            checks: await verifyBucket({ address, versionId, sha256, keyArn, locked }, client),
          });
          if (flags.report !== undefined) {
            const { writeReport } = await import('../core/report/index.ts');
            await writeReport(report, resolve(directory, flags.report));
          }
          return await showReport(session, flags, report);
        } finally {
          client.destroy();
        }
      }),
    );
}

/** A report that no policy stands behind. */
async function reportOf(address: string, { checks }: Pick<Report, 'checks'>): Promise<Report> {
  const { assembleReport } = await import('../core/report/index.ts');
  const { cpus } = await import('node:os');
  return assembleReport({
    tool: { name: 'sluice', version: manifest.version },
    name: address,
    checks,
    figures: [],
    notices: [],
    policy: { file: address, origin: 'head-only', evidence: 'off', onInconclusive: 'error', differences: [] },
    sources: [],
    environment: {
      platform: `${process.platform}-${process.arch}`,
      cpu: cpus()[0]?.model ?? 'unknown',
      node: process.versions.node,
    },
  });
}
