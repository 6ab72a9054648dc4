import { allow, type PermissionStatement } from './permission-statement.ts';

/** Objects of S3 below a prefix. */
export interface ObjectsBelow {
  readonly bucketArn: string;
  /** `lake/customers/`, or an object's whole key. */
  readonly prefix: string;
}

/** What data of `s3://` addresses needs: an object is fetched; of a pattern, the keys below its fixed part are listed first. */
export function objectStatements({ bucketArn, prefix }: ObjectsBelow): readonly PermissionStatement[] {
  return [
    allow('Objects', ['s3:GetObject'], `${bucketArn}/${prefix}*`),
    { ...allow('Keys', ['s3:ListBucket'], bucketArn), Condition: { StringLike: { 's3:prefix': `${prefix}*` } } },
  ];
}

export interface AthenaResources {
  readonly workgroupArn: string;
  /** The Glue catalog, and of it the databases and tables that are asked for. */
  readonly catalogArn: string;
  readonly databaseArns: readonly string[];
  readonly tableArns: readonly string[];
  /** Where the tables' files lie. */
  readonly data: readonly ObjectsBelow[];
  /** Where Athena writes its answers. */
  readonly results: ObjectsBelow;
}

/**
 * What `engines.athena` needs. Athena reads Glue and S3 in the name of whoever asks, so the job's role needs both. The actions on S3 are those of
 * AWS's own policies for Athena, narrowed to prefixes ("Control access to Amazon S3 from Athena", "Fine-grained access to databases and tables").
 */
export function athenaStatements({
  workgroupArn,
  catalogArn,
  databaseArns,
  tableArns,
  data,
  results,
}: AthenaResources): readonly PermissionStatement[] {
  const buckets = [...new Set([...data, results].map(({ bucketArn }) => bucketArn))];
  return [
    allow(
      'Query',
      ['athena:StartQueryExecution', 'athena:GetQueryExecution', 'athena:GetQueryResults', 'athena:StopQueryExecution'],
      workgroupArn,
    ),
    allow(
      'Tables',
      ['glue:GetDatabase', 'glue:GetTable', 'glue:GetPartition', 'glue:GetPartitions', 'glue:BatchGetPartition'],
      [catalogArn, ...databaseArns, ...tableArns],
    ),
    allow('Places', ['s3:GetBucketLocation'], buckets),
    ...data.flatMap(objectStatements),
    allow(
      'Answers',
      ['s3:GetObject', 's3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'],
      `${results.bucketArn}/${results.prefix}*`,
    ),
    {
      ...allow('AnswersListed', ['s3:ListBucket'], results.bucketArn),
      Condition: { StringLike: { 's3:prefix': `${results.prefix}*` } },
    },
    // IAM knows no prefix of this one.
    allow('Uploads', ['s3:ListBucketMultipartUploads'], results.bucketArn),
  ];
}
