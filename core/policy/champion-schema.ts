import * as z from 'zod';
import { name, path } from './schema-words.ts';

const trackingUri = z
  .string()
  .regex(/^https?:\/\/[^\s/]/, { error: 'an address with http:// or https://' })
  .meta({
    id: 'trackingUri',
    description:
      'The MLflow server. Default: MLFLOW_TRACKING_URI. Credentials come from the variables of MLflow, and go only to the server that variable names.',
  });

/** What says where MLflow is; used by every part of the policy that reads it. */
export const ofMlflow = { tracking_uri: trackingUri.optional() };

const registered = z
  .strictObject({
    mlflow: name.describe('The registered model.'),
    alias: name.describe('The alias of the version that serves: champion.'),
    artifact: name
      .optional()
      .describe("The ONNX file, from the folder of the model's files. Default: the only one there."),
    ...ofMlflow,
  })
  .describe('The version of a registered model that an alias names in MLflow.');

const released = z
  .strictObject({
    manifest: path.describe(
      'A JSON file { "model": { "path": ..., "sha256": ... } }; the path is relative to the manifest.',
    ),
  })
  .describe('The model that a release manifest names, held to its digest.');

/** What is released: the baseline a candidate has to beat or keep up with. */
export const championSchema = z.union([registered, released], {
  error: 'a mapping such as { mlflow: churn, alias: champion } or { manifest: release.json }',
});

export type Champion = z.infer<typeof championSchema>;
export type RegisteredChampion = z.infer<typeof registered>;
export type ReleasedChampion = z.infer<typeof released>;
