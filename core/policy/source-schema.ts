import * as z from 'zod';
import { ofMlflow } from './champion-schema.ts';
import { policyDefaults } from './defaults.ts';
import { duration, name, path } from './schema-words.ts';
import { tensorProtocols } from './smoke-schema.ts';

// What may be judged in place of an ONNX file. The first words of each are what it can show: see `source-contradictions.ts`.

/** Predictions that another program has written down, for the rows of `evaluation`. */
export const predictionsSchema = z
  .union(
    [
      path,
      z
        .strictObject({
          path,
          key: name
            .optional()
            .describe(
              'A column that this file and the evaluation rows share, and that tells rows apart. Default: row by row.',
            ),
          truth: name
            .optional()
            .describe(
              "The column with the truth, held against evaluation.target. Default: y_true, or the target's name, where there is one.",
            ),
          label: name.optional().describe('The predicted class. Default: y_pred.'),
          scores: z
            .union([name, z.array(name).min(2)], { error: 'a column name, or a list of at least two' })
            .optional()
            .describe(
              'The probability of the positive class, or a column for each class, in order. Default: y_score, where there is one.',
            ),
          value: name.optional().describe('The predicted number of a regression or ranking. Default: y_pred, y_score.'),
        })
        .describe('A CSV or Parquet file of predictions, and which columns are what.'),
    ],
    { error: 'a file, or a mapping such as { path: out/pred.parquet, label: y_pred }' },
  )
  .meta({ id: 'predictions', description: 'Predictions of any framework, for the evaluation rows.' });

/** The metrics that a run logged: numbers without rows. */
export const runSchema = z
  .strictObject({
    experiment: name.optional().describe('The experiment whose latest finished run counts.'),
    id: name
      .regex(/^(latest|[0-9a-f]{32})$/, { error: 'latest, or the 32 hexadecimal digits of a run' })
      .optional()
      .meta({ description: 'latest, or the id of a run.', default: 'latest' }),
    metrics: z
      .record(name, name)
      .optional()
      .describe('What the run calls a metric: { accuracy: val_accuracy }. Default: by its own name.'),
    rows: z
      .int()
      .min(1)
      .optional()
      .describe(
        'How many rows accuracy, micro averages aside, was measured on: then it has an interval. Without it points are compared.',
      ),
    ...ofMlflow,
  })
  .meta({ id: 'run', description: 'The metrics that a run has logged in MLflow.' });

/** A model that runs behind a server. */
export const endpointSchema = z
  .strictObject({
    url: z
      .string()
      .regex(/^(https?|grpcs?):\/\/[^\s/@]+([/?]|$)/, {
        error: 'an address with http://, https://, grpc:// or grpcs://, without a user',
      })
      .describe("The server's address."),
    protocol: z
      .enum(tensorProtocols.filter((each) => each !== 'rest'))
      .optional()
      .meta({ description: 'What the server speaks.', default: policyDefaults.endpoint.protocol }),
    model: name.optional().describe("The model's name on the server."),
    version: name.optional().describe('The version to ask.'),
    format: z
      .enum(['instances', 'inputs', 'named-inputs', 'dataframe_split', 'rows', 'csv'])
      .optional()
      .describe('kserve-v1, torchserve, mlflow, sagemaker: how rows are written in requests.'),
    signature: path
      .optional()
      .describe(
        'An ONNX file with the inputs and outputs of the model, for protocols that do not tell them. It is not run.',
      ),
    token_env: z
      .string()
      .regex(/^SLUICE_ENDPOINT_[A-Z0-9_]+$/, { error: 'the name of a variable that begins with SLUICE_ENDPOINT_' })
      .optional()
      .describe(
        'The environment variable with a token, sent as "Authorization: Bearer". Its name begins with SLUICE_ENDPOINT_, so that no policy can send another secret away.',
      ),
    batch: z
      .int()
      .min(1)
      .max(4096)
      .optional()
      .meta({ description: 'Rows a request.', default: policyDefaults.endpoint.batch }),
    concurrency: z
      .int()
      .min(1)
      .max(64)
      .optional()
      .meta({ description: 'Requests at a time.', default: policyDefaults.endpoint.concurrency }),
    timeout: duration
      .optional()
      .meta({ description: 'How long one request may take.', default: policyDefaults.endpoint.timeout }),
  })
  .meta({ id: 'endpoint', description: 'A model server: the evaluation rows are sent to it.' });

export type PredictionsSource = z.infer<typeof predictionsSchema>;
export type RunSource = z.infer<typeof runSchema>;
export type EndpointSource = z.infer<typeof endpointSchema>;

/** What can be judged, by the key of `model` that names it; the first shows most. */
export const sourceKinds = ['path', 'endpoint', 'predictions', 'run'] as const;
export type SourceKind = (typeof sourceKinds)[number];
