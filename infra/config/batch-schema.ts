import { z } from 'zod';
import { arn, duration, email, folderBelow, image, instanceType, matching, whole } from './schema-words.ts';

const jsonPath = matching(/^\$.{0,62}$/, 'a JSONPath such as $[1:], at most 63 characters');

const transform = z
  .strictObject({
    image: image.describe(
      "An image that answers SageMaker's /invocations: a tag or digest in the own registry, or the whole address of one in ECR.",
    ),
    model: matching(/^[^/\s*?][^\s*?]*\.tar\.gz$/, 'an archive such as churn/7/model.tar.gz').describe(
      'Where the bucket of models has it. SageMaker takes no folder for this.',
    ),
    default_model: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Of a Triton image: which folder of the archive answers. Then a file is one request of the Open Inference Protocol.',
      ),
    input: folderBelow.describe('What is scored.'),
    output: folderBelow.describe('Where answers go: <file>.out.'),
    data_key: arn('kms', 'arn:aws:kms:region:account:key/id')
      .optional()
      .describe('The key of these buckets, where they are encrypted by one of yours.'),
    instance_type: instanceType.describe('ml.m5.xlarge.'),
    instances: whole(1, 'instances')
      .max(100, { error: 'instances, at most 100' })
      .optional()
      .describe('Files are shared out among them. Without it 1.'),
    content_type: z.string().min(1).optional().describe('Without it text/csv, or application/json of a Triton image.'),
    split: z
      .enum(['line', 'none', 'record-io', 'tf-record'])
      .optional()
      .describe('What a request is: lines of a file, or all of it. Without it line, or none of a Triton image.'),
    max_payload_mb: whole(0, 'megabytes')
      .max(100, { error: 'megabytes, at most 100' })
      .optional()
      .describe('The largest request; 0 is no bound, of whole files only. Without it 6.'),
    max_concurrent: whole(1, 'requests')
      .max(100, { error: 'requests, at most 100' })
      .optional()
      .describe('Requests at once to each container.'),
    timeout: duration.optional().describe('From start to end, then the job is stopped. Without it 24h.'),
    join: z
      .strictObject({
        input_filter: jsonPath.optional().describe('What of a record goes to the model. Without it everything.'),
        output_filter: jsonPath.optional().describe('What of record and answer is kept. Without it everything.'),
        with_input: z.boolean().optional().describe('Whether an answer stands beside its record. Without it true.'),
      })
      .optional()
      .describe('What goes to the model, and what comes back with it. Without it everything, alone.'),
    schedule: z
      .strictObject({
        when: matching(
          /^(cron\(\S+( \S+){5}\)|rate\([1-9]\d* (minute|hour|day)s?\))$/,
          'cron(0 3 * * ? *) or rate(1 day)',
        ).describe("As EventBridge's scheduler reads it: cron(minute hour day month weekday year), or rate(1 day)."),
        time_zone: z
          .string()
          .refine(isTimeZone, { error: 'a time zone such as Europe/Berlin' })
          .optional()
          .describe('Of a cron. Without it UTC.'),
        folder: matching(/^[^/\s*?]([^\s*?]*[^/\s*?])?$/, 'a folder without slashes at its ends')
          .optional()
          .describe('Below input; answers go to the same below output. Without it all of input.'),
      })
      .optional()
      .describe('When it runs by itself. Without it when somebody starts it.'),
    emails: z.array(email).min(1).optional().describe('Who hears of every end of a run.'),
  })
  .meta({ id: 'transform', description: 'A model that scores files on S3.' });

export const batchSchema = z
  .record(
    matching(/^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,25}$/, 'a name of letters, digits and hyphens, at most 26'),
    transform,
  )
  .refine((all) => Object.keys(all).length > 0, { error: 'at least one batch' })
  .meta({ minProperties: 1, description: 'Batch transforms by the names of their jobs.' });

export type TransformConfig = z.infer<typeof transform>;

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return /^[A-Za-z]/.test(name);
  } catch {
    return false;
  }
}
