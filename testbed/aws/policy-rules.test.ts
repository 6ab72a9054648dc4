/**
 * Every policy of IAM in the AWS gallery and the app, by a linter that knows each action, its resources and its condition keys. What of its findings
 * is right as it is stands in policy-exemptions.ts, with the reason.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { judge } from '../linters/exemption.ts';
import type { Finding } from '../linters/finding.ts';
import { parliament } from './parliament.ts';
import { policyDocuments } from './policy-documents.ts';
import { policyExemptions } from './policy-exemptions.ts';
import { appTemplates, galleryTemplates, type Template } from './templates.ts';

const bucket = 'arn:aws:s3:::models';
const queue = { 'Fn::GetAtt': ['Jobs', 'Arn'] };

/** A role with one mistake of each kind, and one in the text of a policy that is put together. */
const spoiled: Template = {
  Resources: {
    Jobs: { Type: 'AWS::SQS::Queue' },
    Release: {
      Type: 'AWS::IAM::Policy',
      Properties: {
        PolicyName: 'Release',
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [
            { Effect: 'Allow', Action: 's3:GetObjekt', Resource: `${bucket}/*` },
            { Effect: 'Allow', Action: 'sagemakr:CreateModel', Resource: '*' },
            { Effect: 'Allow', Action: 's3:GetObject', Resource: bucket },
            { Effect: 'Allow', Action: 'sagemaker:CreateModel', Resource: '*' },
            { Effect: 'Allow', Action: 'sns:Publish', Resource: queue },
            {
              Effect: 'Allow',
              Action: 's3:PutObject',
              Resource: `${bucket}/*`,
              Condition: { StringLike: { 's3:prefix': 'churn/*' } },
            },
            {
              Effect: 'Allow',
              Action: 's3:ListBucket',
              Resource: bucket,
              Condition: { StringSame: { 's3:prefix': 'churn/' } },
            },
          ],
        },
      },
    },
    Logs: {
      Type: 'AWS::Logs::ResourcePolicy',
      Properties: {
        PolicyName: 'Logs',
        PolicyDocument: {
          'Fn::Join': [
            '',
            [
              '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"es.amazonaws.com"},"Action":"sqs:PutLogEvents","Resource":"',
              queue,
              '"}]}',
            ],
          ],
        },
      },
    },
  },
};

const templates = [...galleryTemplates(), ...appTemplates()];
let findings: readonly Finding[] = [];
beforeAll(async () => {
  findings = await parliament([...templates, { from: 'spoiled', template: spoiled }]);
}, 600_000);

describe('policies', () => {
  const ours = () => findings.filter(({ from }) => from !== 'spoiled');

  test('are all read: those of roles, keys, buckets, queues, topics and groups of logs', () => {
    const kinds = new Set(policyDocuments(templates).map(({ name }) => name.split(' ')[0]));
    expect([...kinds].toSorted()).toEqual([
      'AWS::IAM::Policy',
      'AWS::IAM::Role',
      'AWS::KMS::Key',
      'AWS::Logs::LogGroup',
      'AWS::S3::BucketPolicy',
      'AWS::SNS::TopicPolicy',
      'AWS::SQS::QueuePolicy',
    ]);
  });

  test('of every construct and stack name actions that there are, on what they take, under conditions that they have', () => {
    expect(judge(ours(), policyExemptions).errors).toEqual([]);
  });

  test('have everything that an exemption is for, or it has to go', () => {
    expect(judge(ours(), policyExemptions).stale).toEqual([]);
  });
});

test.each([
  ['an action that there is not', 'UNKNOWN_ACTION'],
  ['a service that there is not', 'UNKNOWN_PREFIX'],
  ['an action on what it does not take', 'RESOURCE_MISMATCH s3:GetObject'],
  ['everything, of an action that takes a resource', 'RESOURCE_STAR sagemaker:CreateModel'],
  ['an action of one service on what is of another', 'RESOURCE_MISMATCH sns:Publish'],
  ['a condition key that the action does not have', 'UNKNOWN_CONDITION_FOR_ACTION s3:prefix of s3:PutObject'],
  ['an operator that there is not', 'UNKNOWN_OPERATOR'],
])('%s is found', (_what, rule) => {
  const found = findings.filter(({ from, object }) => from === 'spoiled' && object === 'AWS::IAM::Policy Release');
  expect(found.map((finding) => finding.rule)).toContain(`parliament ${rule}`);
});

test('an action that there is not is found in a policy that is a text', () => {
  const found = findings.filter(({ object }) => object === 'AWS::Logs::ResourcePolicy Logs');
  expect(found.map(({ rule }) => rule)).toEqual(['parliament UNKNOWN_ACTION']);
});
