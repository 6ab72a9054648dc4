import { z } from 'zod';
import { batchSchema } from './batch-schema.ts';
import { clusterSchema } from './cluster-schema.ts';
import { monitoringSchema } from './monitoring-schema.ts';
import { networkSchema } from './network-schema.ts';
import { account, arn, matching, saying, whole } from './schema-words.ts';
import { servingSchema } from './serving-schema.ts';
import { trainingSchema } from './training-schema.ts';

// One source for the TypeScript types, the strict reading and the JSON Schema, as the policy's (core/policy/schema.ts). `description` becomes the
// editor's hover; an `error` text completes the sentence "found x, expected ...".

const name = matching(/^[a-z](-?[a-z0-9]){0,17}$/, 'a name of small letters, digits and hyphens, at most 18');
const region = matching(/^[a-z]{2}(-[a-z]+)+-\d$/, 'a region such as eu-central-1');
/** https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html */
const tagText = matching(
  /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u,
  'text of letters, digits, spaces and _.:/=+-@, in quotes where it is a number',
);
const gitHubNumber = z.int({ error: "GitHub's own number" }).min(1, { error: "GitHub's own number" });

const models = z.strictObject({
  archive_after_days: whole(30, 'days')
    .optional()
    .describe('When a version that was written over moves to cheaper storage; none is ever expired. Without it 90.'),
  lock: z
    .strictObject({
      mode: z
        .enum(['governance', 'compliance'])
        .describe('governance: those with s3:BypassGovernanceRetention may take a lock off. compliance: nobody may.'),
      days: whole(1, 'days').describe('How long every version is locked from when it was written.'),
    })
    .optional()
    .describe(
      'Versions that nobody can take back for a time. Only when the bucket is made: S3 never takes it off again.',
    ),
  copy_to: z
    .strictObject({
      bucket: arn('s3', 'arn:aws:s3:::bucket').describe('The ARN of a versioned bucket.'),
      key: arn('kms', 'arn:aws:kms:region:account:key/id').describe('The ARN of the key there.'),
      account: account.optional().describe('Whose bucket that is, where it is another account.'),
    })
    .optional()
    .describe('A copy of everything in a bucket of another region or account.'),
});

const environment = z
  .strictObject({
    account: account.describe('The AWS account, in quotes: YAML would read it as a number.'),
    region: region.describe('The AWS region.'),
    availability_zones: z
      .array(matching(/^[a-z]{2}(-[a-z]+)+-\d[a-z]$/, 'a zone such as eu-central-1a'))
      .min(2, { error: 'at least two zones' })
      .max(6, { error: 'at most six zones' })
      .optional()
      .describe(
        'Zones that the network of the cluster spans. Without it the first two of the region, which may lack the wanted GPUs.',
      ),
    oidc_provider: z
      .enum(['new', 'existing'])
      .optional()
      .describe(
        "existing: the account already trusts GitHub's tokens, and has one provider of them at most. Without it new, in the first environment of an account.",
      ),
    github_environment: saying('the name of an environment on GitHub')
      .min(1)
      .optional()
      .describe("Which environment's jobs may deploy here. Without it the one that is called as this."),
    models: models.optional().describe('How models are kept.'),
    network: networkSchema
      .optional()
      .describe('A VPC that is there. The cluster stands in it, and training and endpoints that say in_network.'),
    training: trainingSchema.optional().describe('How the model is trained. Without it there is no such stack.'),
    serving: servingSchema.optional(),
    batch: batchSchema.optional(),
    cluster: clusterSchema.optional().describe('Kubernetes for models on GPUs. Without it there is no such stack.'),
    monitoring: monitoringSchema
      .optional()
      .describe('Who is woken when an endpoint is unhealthy. Without it there is no such stack.'),
  })
  .meta({ id: 'environment', description: 'One account and region, and what stands there.' });

export const infraSchema = z.strictObject({
  version: z.literal(1).describe('The version of this format.'),
  name: name.describe(
    'What the stacks are called after: <name>-<environment>-storage. Changing it makes everything anew.',
  ),
  repository: matching(/^[A-Za-z0-9-]+\/[A-Za-z0-9._-]+$/, 'owner/name').describe(
    'The repository on GitHub whose jobs may deploy and release.',
  ),
  repository_ids: z
    .strictObject({
      owner: gitHubNumber.describe("The owner's."),
      repository: gitHubNumber.describe("The repository's."),
    })
    .optional()
    .describe(
      "GitHub's own numbers: gh api repos/acme/churn --jq '{owner: .owner.id, repository: .id}'. Without them the roles trust a name, which may be given to somebody else.",
    ),
  branch: matching(/^[^\s*?@:~^[\]\\]+$/, 'the name of a branch')
    .optional()
    .describe(
      'The one branch that jobs may deploy and release from. Without it those that the environments on GitHub let in.',
    ),
  tags: z
    .record(
      tagText.regex(/^(?!aws:)[\s\S]{1,128}$/, {
        error: 'a key of at most 128 characters that does not begin with aws:',
      }),
      tagText.max(256, { error: 'at most 256 characters' }),
    )
    .optional()
    .describe('Tags of every resource that takes some, beside those for the name and the environment.'),
  environments: z
    .record(name, environment)
    .refine((all) => Object.keys(all).length > 0, { error: 'at least one environment' })
    .meta({ minProperties: 1, description: 'By their names, such as staging and production.' }),
});

/** What `sluice-infra.yaml` says. */
export type InfraConfig = z.infer<typeof infraSchema>;
export type InfraEnvironment = z.infer<typeof environment>;
