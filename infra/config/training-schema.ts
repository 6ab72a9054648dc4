import { z } from 'zod';
import { arn, duration, email, folder, image, instanceType, matching, whole } from './schema-words.ts';

export const trainingSchema = z.strictObject({
  image: image.describe('What trains: a tag or digest in the own registry, or the whole address of an image in ECR.'),
  instance_type: instanceType.describe('ml.p4d.24xlarge.'),
  instances: whole(1, 'instances').optional().describe('More than one trains distributed. Without it 1.'),
  spot: z.boolean().optional().describe('Without it true.'),
  max_run: duration.describe('How long a job may train, interruptions left out.'),
  max_wait: duration
    .optional()
    .describe('How long a spot job may take with all waiting for capacity. Without it twice max_run.'),
  deadline: duration.optional().describe('How long a run may take with all its attempts. Without it twice max_wait.'),
  channels: z
    .record(matching(/^[A-Za-z0-9._-]{1,64}$/, 'the name of a channel'), folder)
    .optional()
    .describe('Folders of data by the names of their channels: /opt/ml/input/data/<name>.'),
  data_key: arn('kms', 'arn:aws:kms:region:account:key/id')
    .optional()
    .describe('The key of the buckets with the data, where they are encrypted by one of yours.'),
  hyper_parameters: z
    .record(z.string().min(1), z.string({ error: 'text, in quotes where it is a number' }))
    .optional()
    .describe('What the program is given, as text.'),
  price_per_hour: z
    .number()
    .positive()
    .optional()
    .describe('Dollars of one on-demand instance for an hour, for the metrics of cost.'),
  gate: z
    .strictObject({
      image: image.describe("Of Sluice's command (cli/Dockerfile)."),
      policy: folder.describe('Where sluice.yaml and the data it names are.'),
      policy_file: z.string().min(1).optional().describe('Without it sluice.yaml.'),
    })
    .optional()
    .describe('What decides of the model. Without it a model that was trained has passed.'),
  in_network: z
    .boolean()
    .optional()
    .describe("Whether its instances stand in the environment's network. Without it false."),
  emails: z.array(email).min(1).optional().describe('Who hears of every end of a run.'),
});

export type TrainingConfig = z.infer<typeof trainingSchema>;
