import type { Exemption } from '../linters/exemption.ts';

const logsOfAws =
  "AWS's own statement for CloudWatch Logs has this action and this operator under this condition (CloudWatch Logs user guide, encrypt-log-data-kms).";
const apart =
  'Karpenter starts machines by several statements, each with the resources that one condition fits (Karpenter, CloudFormation reference); parliament looks at each alone.';
const ofGitHub =
  "A claim of GitHub's token (IAM user guide, reference_policies_iam-condition-keys, federation by OIDC): parliament knows none of any provider.";

/** What parliament finds in a policy that is right, and why it is. */
export const policyExemptions: readonly Exemption[] = [
  {
    rules: [
      'parliament UNKNOWN_CONDITION_FOR_ACTION kms:EncryptionContext:aws:logs:arn of kms:DescribeKey',
      'parliament MISMATCHED_TYPE ArnEquals',
      'parliament MISMATCHED_TYPE ArnLike',
    ],
    objects: ['AWS::KMS::Key *Key'],
    reason: logsOfAws,
  },
  {
    rules: ['parliament MISMATCHED_TYPE s3:TlsVersion'],
    objects: ['AWS::S3::BucketPolicy *Policy'],
    reason: 'parliament takes whole numbers alone; 1.2 is what AWS writes (S3 user guide, amazon-s3-policy-keys).',
  },
  {
    rules: [
      'parliament UNKNOWN_CONDITION_FOR_ACTION s3:TlsVersion of s3:InitiateReplication',
      'parliament UNKNOWN_CONDITION_FOR_ACTION s3:TlsVersion of s3:PutAccessPointPublicAccessBlock',
    ],
    objects: ['AWS::S3::BucketPolicy *Policy'],
    reason:
      'Two of all actions, which are denied where the connection is old: without the key the denial does not hold.',
  },
  {
    rules: ['parliament UNKNOWN_FEDERATION_SOURCE'],
    objects: ['AWS::IAM::Role *Role'],
    reason: 'An identity provider of the account, by OIDC: parliament knows those by SAML.',
  },
  {
    rules: [
      'parliament UNKNOWN_CONDITION_FOR_ACTION token.actions.githubusercontent.com:aud of sts:AssumeRoleWithWebIdentity',
      'parliament UNKNOWN_CONDITION_FOR_ACTION token.actions.githubusercontent.com:job_workflow_ref of sts:AssumeRoleWithWebIdentity',
      'parliament UNKNOWN_CONDITION_FOR_ACTION token.actions.githubusercontent.com:ref of sts:AssumeRoleWithWebIdentity',
      'parliament UNKNOWN_CONDITION_FOR_ACTION token.actions.githubusercontent.com:repository_id of sts:AssumeRoleWithWebIdentity',
      'parliament UNKNOWN_CONDITION_FOR_ACTION token.actions.githubusercontent.com:sub of sts:AssumeRoleWithWebIdentity',
    ],
    objects: ['AWS::IAM::Role *Role'],
    reason: ofGitHub,
  },
  {
    rules: ['parliament RESOURCE_MISMATCH ec2:CreateFleet', 'parliament RESOURCE_MISMATCH ec2:RunInstances'],
    objects: ['AWS::IAM::Policy *karpenterDefaultPolicy'],
    reason: apart,
  },
  {
    rules: ['parliament RESOURCE_MISMATCH ssm:GetParameter'],
    objects: ['AWS::IAM::Policy *karpenterDefaultPolicy'],
    reason:
      "Parameters that AWS publishes are of no account (Systems Manager user guide, public parameters): parliament wants one's own.",
  },
  {
    rules: ['parliament RESOURCE_MISMATCH states:DescribeExecution'],
    objects: ['AWS::IAM::Policy *RoleDefaultPolicy'],
    reason: 'Executions of a standard state machine; parliament wants those of express ones beside them.',
  },
];
