import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import type { ITopic } from 'aws-cdk-lib/aws-sns';

/** Lets publish to the topic, by its key where it has one. Not `topic.grantPublish`, which allows actions of the key by a pattern. */
export function grantTell(topic: ITopic, grantee: IGrantable): Grant {
  const publish = Grant.addToPrincipal({ grantee, actions: ['sns:Publish'], resourceArns: [topic.topicArn] });
  const key = topic.masterKey;
  return key === undefined ? publish : publish.combine(key.grant(grantee, 'kms:Decrypt', 'kms:GenerateDataKey'));
}
