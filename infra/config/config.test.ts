import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { committedConfig, infra } from '../fixtures/synthesized-app.ts';
import { infraJsonSchemaText } from './json-schema.ts';
import { ConfigError, parseConfig, readConfig } from './parse-config.ts';

const sound = `version: 1
name: churn
repository: acme/churn
environments:
  staging:
    account: "111122223333"
    region: eu-central-1
`;

/** The sound file with one endpoint, in one line. */
const endpoint = (keys: string): string => `${sound}    serving:\n      churn: { image: tag-1, ${keys} }\n`;

function problemsOf(text: string): readonly string[] {
  try {
    parseConfig(text, 'sluice-infra.yaml');
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
}

describe('the file of the infrastructure', () => {
  test('is read where it is sound', () => {
    expect(parseConfig(sound, 'sluice-infra.yaml')).toEqual({
      version: 1,
      name: 'churn',
      repository: 'acme/churn',
      environments: { staging: { account: '111122223333', region: 'eu-central-1' } },
    });
  });

  test.each([
    [
      'an unknown key, and the one that was meant',
      sound.replace('region:', 'regoin:'),
      ['sluice-infra.yaml:7:5 environments.staging.regoin: unknown key "regoin". Did you mean "region"?'],
    ],
    [
      'an account that YAML reads as a number',
      sound.replace('"111122223333"', '111122223333'),
      [
        'sluice-infra.yaml:6:14 environments.staging.account: wrong value: found 111122223333, expected an account: 12 digits, in quotes. Put it in quotes: "111122223333".',
      ],
    ],
    [
      'a key that belongs elsewhere',
      sound.replace('name: churn', 'name: churn\nregion: eu-central-1'),
      ['sluice-infra.yaml:3:1 region: unknown key "region". "region" belongs in environments.<name>.'],
    ],
    [
      'a missing environment',
      sound.slice(0, sound.indexOf('  staging')).replace('environments:', 'environments: {}'),
      [
        'sluice-infra.yaml:4:1 environments: wrong value: found a mapping, {}, expected at least one environment. Write at least one environment there.',
      ],
    ],
    [
      'a zone of another region',
      `${sound}    availability_zones: [eu-central-1a, eu-west-1b]\n`,
      [
        "sluice-infra.yaml:8:41 environments.staging.availability_zones[1]: the zone is not of the environment's region eu-central-1: found eu-west-1b. Name zones such as eu-central-1a.",
      ],
    ],
    [
      'an empty file',
      '',
      [
        'sluice-infra.yaml:1:1: the file is empty. Copy the one in infra/ and write your account, region and repository into it.',
      ],
    ],
    [
      'an endpoint without a model and without anything to run it on',
      `${sound}    serving:\n      churn: { image: tag-1 }\n`,
      [
        'sluice-infra.yaml:9:7 environments.staging.serving.churn: the endpoint has no model, so there is nothing to answer with. Add model, such as churn/7/, or variants with one each.',
        'sluice-infra.yaml:9:7 environments.staging.serving.churn: the endpoint has no instance_type, so there is nothing to run it on. Add instance_type, such as ml.m5.xlarge, or serverless: { memory_mb: 2048, max_concurrency: 10 }.',
      ],
    ],
    [
      'an instance that SageMaker has none of',
      endpoint('model: churn/7/, instance_type: ml.g5.xlrge'),
      [
        'sluice-infra.yaml:9:47 environments.staging.serving.churn.instance_type: instance_type is no instance of SageMaker: found ml.g5.xlrge, expected ml.g5.xlarge. Did you mean ml.g5.xlarge?',
      ],
    ],
    [
      'a serverless endpoint with an accelerator and instances, and a folder for its model',
      endpoint(
        'model: churn/7/, instance_type: ml.g5.xlarge, instances: 2, serverless: { memory_mb: 2048, max_concurrency: 5, provisioned_concurrency: 6 }',
      ),
      [
        'sluice-infra.yaml:9:47 environments.staging.serving.churn.instance_type: a serverless endpoint has no instances, and no GPU or other accelerator: found serverless and instance_type. Leave instance_type out, or serverless.',
        'sluice-infra.yaml:9:76 environments.staging.serving.churn.instances: a serverless endpoint has no instances: found serverless and instances. Leave instances out, or serverless.',
        'sluice-infra.yaml:9:30 environments.staging.serving.churn.model: a serverless endpoint takes its model as an archive only: found churn/7/, expected a key such as churn/7/model.tar.gz. Pack the files with tar -czf, and publish the archive.',
        'sluice-infra.yaml:9:141 environments.staging.serving.churn.serverless.provisioned_concurrency: provisioned_concurrency is above max_concurrency, of which it is a part: found 6 of 5. Lower it, or raise max_concurrency.',
      ],
    ],
    [
      'memory that SageMaker does not have',
      endpoint('model: a/model.tar.gz, serverless: { memory_mb: 2000, max_concurrency: 5 }'),
      [
        'sluice-infra.yaml:9:78 environments.staging.serving.churn.serverless.memory_mb: wrong value: found 2000, expected 1024, 2048, 3072, 4096, 5120 or 6144. Write 1024, 2048, 3072, 4096, 5120 or 6144 there.',
      ],
    ],
    [
      'a queue without a place for answers',
      endpoint(
        'model: churn/7/, instance_type: ml.m5.xlarge, asynchronous: { input: s3://acme/in, outptu: s3://acme/out }',
      ),
      [
        'sluice-infra.yaml:9:113 environments.staging.serving.churn.asynchronous.outptu: unknown key "outptu". Did you mean "output"?',
      ],
    ],
    [
      'a queue with a whole bucket for requests and nowhere to answer',
      endpoint('model: churn/7/, instance_type: ml.m5.xlarge, asynchronous: { input: s3://acme }'),
      [
        'sluice-infra.yaml:9:76 environments.staging.serving.churn.asynchronous.output: the key "output" is missing: expected a folder within a bucket such as s3://bucket/folder, without a slash at its end. Add "output:" with a folder within a bucket such as s3://bucket/folder, without a slash at its end after it.',
        'sluice-infra.yaml:9:99 environments.staging.serving.churn.asynchronous.input: wrong value: found the text "s3://acme", expected a folder within a bucket such as s3://bucket/folder, without a slash at its end. Write a folder within a bucket such as s3://bucket/folder, without a slash at its end there.',
      ],
    ],
    [
      'a queue that would scale by what it does not have',
      endpoint(
        'model: churn/7/, instance_type: ml.m5.xlarge, scaling: { min: 0, max: 4, invocations_per_instance: 100 }, asynchronous: { input: s3://acme/in, output: s3://acme/out }',
      ),
      [
        'sluice-infra.yaml:9:103 environments.staging.serving.churn.scaling.invocations_per_instance: an asynchronous endpoint has no metric for invocations_per_instance: found invocations_per_instance, expected gpu_utilization or backlog_per_instance. Scale by one of those.',
      ],
    ],
    [
      'no instances of what answers at once',
      endpoint(
        'model: churn/7/, instance_type: ml.m5.xlarge, scaling: { min: 0, max: 4, invocations_per_instance: 100 }',
      ),
      [
        'sluice-infra.yaml:9:87 environments.staging.serving.churn.scaling.min: scaling.min is 0, and only an asynchronous endpoint goes down to no instances: found 0. Raise it to 1, or make the endpoint asynchronous or serverless.',
      ],
    ],
    [
      'a shadow of itself',
      endpoint('model: churn/7/, instance_type: ml.m5.xlarge, shadow: { model: churn/7/, percent: 10 }'),
      [
        'sluice-infra.yaml:9:86 environments.staging.serving.churn.shadow.model: the shadow is the very model that serves, by the same image on the same instances: nothing would be learnt: found churn/7/. Name the model that is to be tried, such as churn/8/.',
      ],
    ],
    [
      'a shadow without a model of its own',
      endpoint('model: churn/7/, instance_type: ml.m5.xlarge, shadow: { percent: 10 }'),
      [
        'sluice-infra.yaml:9:76 environments.staging.serving.churn.shadow.model: the key "model" is missing: expected a folder such as churn/7/, or churn/7/model.tar.gz. Add "model:" with a folder such as churn/7/, or churn/7/model.tar.gz after it.',
      ],
    ],
    [
      'a model beside variants, none of which gets a request',
      endpoint(
        'model: churn/7/, instance_type: ml.m5.xlarge, variants: { a: { model: churn/7/, weight: 0 }, b: { model: churn/8/, weight: 0 } }',
      ),
      [
        'sluice-infra.yaml:9:30 environments.staging.serving.churn.model: an endpoint with variants has a model for each of them: found variants and model. Leave model out, or variants.',
        'sluice-infra.yaml:9:76 environments.staging.serving.churn.variants: every variant has weight 0, so none would get a request. Give one of them weight 1.',
      ],
    ],
    [
      'steps of a deployment to one instance',
      endpoint('model: churn/7/, instance_type: ml.m5.xlarge, instances: 1, deployment: { kind: canary }'),
      [
        'sluice-infra.yaml:9:104 environments.staging.serving.churn.deployment.kind: deployment is canary, and the endpoint may have one instance, of which there is no part: found 1 at the fewest, expected at least 2 instances, scaling.min too. Raise instances and scaling.min to 2, or use all-at-once.',
      ],
    ],
    [
      'an alarm on the quality of a model that would never ring, of no feature',
      endpoint('model: churn/7/, instance_type: ml.m5.xlarge, model_quality: { measure: feature_psi, feature: age }'),
      [
        'sluice-infra.yaml:9:76 environments.staging.serving.churn.model_quality: model_quality has neither min nor max, so no alarm would ever ring. Add max, such as 0.2.',
        'sluice-infra.yaml:9:76 environments.staging.serving.churn.model_quality: feature_psi is told of one feature of one version: found no model_version. Add model_version.',
      ],
    ],
    [
      'a network that is not there',
      endpoint('model: churn/7/, instance_type: ml.m5.xlarge, in_network: true'),
      [
        'sluice-infra.yaml:9:76 environments.staging.serving.churn.in_network: in_network is true, and the environment has no network. Add network: { vpc, private_subnets } to the environment, or leave in_network out.',
      ],
    ],
    [
      'a network of another region that nothing stands in',
      `${sound}    network: { vpc: vpc-0a1b2c3d, private_subnets: { us-east-1a: subnet-0a1b2c3d } }\n`,
      [
        "sluice-infra.yaml:8:54 environments.staging.network.private_subnets.us-east-1a: the zone is not of the environment's region eu-central-1: found us-east-1a. Name zones such as eu-central-1a.",
        'sluice-infra.yaml:8:5 environments.staging.network: nothing stands in the network. Set in_network: true where instances are to stand in it, add cluster, or leave network out.',
      ],
    ],
    [
      'a batch of Triton that would cut requests into lines, at a time of no day',
      `${sound}    batch:\n      scoring: { image: tag-1, model: a/model.tar.gz, default_model: a, split: line, input: s3://acme/in, output: s3://acme/out, instance_type: ml.m5.xlarge, schedule: { when: rate(1 day), time_zone: Europe/Berlin } }\n`,
      [
        'sluice-infra.yaml:9:73 environments.staging.batch.scoring.split: a Triton image takes a file as one request of the Open Inference Protocol: found line, expected none. Leave split out; or default_model, of an image that is none of Triton.',
        'sluice-infra.yaml:9:190 environments.staging.batch.scoring.schedule.time_zone: a rate knows no time of day, so a time zone says nothing: found rate(1 day) in Europe/Berlin. Leave time_zone out, or write a cron.',
      ],
    ],
    [
      'a batch of a folder, in a zone that is none',
      `${sound}    batch:\n      scoring: { image: tag-1, model: a/, input: s3://acme/in, output: s3://acme/out, instance_type: ml.m5.xlarge, schedule: { when: cron(0 3 * * ? *), time_zone: Berlin } }\n`,
      [
        'sluice-infra.yaml:9:39 environments.staging.batch.scoring.model: wrong value: found the text "a/", expected an archive such as churn/7/model.tar.gz. Write an archive such as churn/7/model.tar.gz there.',
        'sluice-infra.yaml:9:164 environments.staging.batch.scoring.schedule.time_zone: wrong value: found the text "Berlin", expected a time zone such as Europe/Berlin. Write a time zone such as Europe/Berlin there.',
      ],
    ],
  ])('is refused for %s', (_what, text, expected) => {
    expect(problemsOf(text)).toEqual(expected);
  });

  test('is refused with every problem at once', () => {
    const broken = sound.replace('acme/churn', 'acme/*').replace('name: churn', 'name: Churn_Model');
    expect(problemsOf(broken).map((line) => line.split(' ')[1])).toEqual(['name:', 'repository:']);
  });

  test('that is not there says what to do', () => {
    expect(() => readConfig('/nowhere/sluice-infra.yaml')).toThrow(/cannot be read.*Copy the one in infra\//);
  });
});

describe('the JSON Schema', () => {
  const validate = new Ajv2020({ strict: true, strictRequired: false }).compile(JSON.parse(infraJsonSchemaText()));

  test('is written to infra.schema.json (run `node build/schema.ts` when this fails)', () => {
    expect(readFileSync(`${infra}/infra.schema.json`, 'utf8')).toBe(infraJsonSchemaText());
  });

  test('takes the committed file, and refuses what the strict reading refuses', () => {
    expect(validate(committedConfig()), JSON.stringify(validate.errors)).toBe(true);
    for (const broken of [
      sound.replace('region:', 'regoin:'),
      sound.replace('"111122223333"', '111122223333'),
      sound.replace('acme/churn', 'acme'),
      sound.replace('version: 1', 'version: 2'),
    ]) {
      expect(problemsOf(broken)).not.toEqual([]);
      expect(validate(parse(broken))).toBe(false);
    }
  });

  test('describes every key, so that an editor can show what it means', () => {
    const silent: string[] = [];
    const walk = (node: unknown, path: string): void => {
      if (typeof node !== 'object' || node === null) return;
      for (const [key, inner] of Object.entries(node)) {
        if (key === 'properties') {
          for (const [name, property] of Object.entries(inner as Readonly<Record<string, object>>)) {
            if (!('description' in property) && !('$ref' in property)) silent.push(`${path}.${name}`);
          }
        }
        walk(inner, `${path}.${key}`);
      }
    };
    walk(JSON.parse(infraJsonSchemaText()), '');
    expect(silent).toEqual([]);
  });
});
