import { resourceName, type Template, type TemplateFile } from './templates.ts';

/** A policy of IAM as it is once CloudFormation filled it in, with made-up names in ARNs of their real form. */
export interface PolicyDocument {
  readonly from: string;
  /** Of the resource that it stands in: `AWS::KMS::Key ModelsKey`. */
  readonly name: string;
  readonly document: { readonly Statement: readonly Statement[] };
}

type Statement = Readonly<Record<string, unknown>>;

const account = '123456789012';
const region = 'eu-west-1';

type Exports = ReadonlyMap<string, { readonly value: unknown; readonly template: Template }>;

/** Every policy of templates. What one imports, another exports. */
export function policyDocuments(files: readonly Pick<TemplateFile, 'from' | 'template'>[]): readonly PolicyDocument[] {
  const exports = new Map(files.flatMap(({ template }) => exportsOf(template)));
  return files.flatMap(({ from, template }) =>
    Object.entries(template.Resources).flatMap(([logicalId, { Type, Properties = {} }]) =>
      documentsIn(Properties, (value) => filledIn(value, template, exports)).map((document) => ({
        from,
        name: resourceName(Type, logicalId),
        document: { ...document, Statement: statementsOf(document).map((one) => onItself(one, Type, logicalId)) },
      })),
    ),
  );
}

/** A policy may be a text, too, or one that CloudFormation puts together. */
function documentsIn(value: unknown, fill: (value: unknown) => unknown): readonly Statement[] {
  if (typeof value === 'string' || (typeof value === 'object' && value !== null && 'Fn::Join' in value)) {
    if (!JSON.stringify(value).includes('\\"Statement\\"')) return [];
    return documentsIn(JSON.parse(String(fill(value))), fill);
  }
  if (typeof value !== 'object' || value === null) return [];
  if ('Statement' in value) return [fill(value) as Statement];
  return Object.values(value).flatMap((each) => documentsIn(each, fill));
}

/** Without those of keys that allow everything: `kms:*` has actions that take no key, and linters expand it. The CDK's own, for the account. */
function statementsOf({ Statement }: Statement): readonly Statement[] {
  const every = (Array.isArray(Statement) ? Statement : [Statement]) as readonly Statement[];
  return every.filter(({ Action, Effect }) => Action !== 'kms:*' || Effect !== 'Allow');
}

/** Who may take a role on is said without a resource; in the policy of a key `*` is that key (KMS developer guide, key-policy-overview). */
function onItself(statement: Statement, type: string, logicalId: string): Statement {
  if (type === 'AWS::IAM::Role' && !('Resource' in statement)) {
    return { ...statement, Resource: arnOf(type, logicalId) };
  }
  return type === 'AWS::KMS::Key' && statement['Resource'] === '*'
    ? { ...statement, Resource: arnOf(type, logicalId) }
    : statement;
}

function exportsOf(template: Template): [string, { readonly value: unknown; readonly template: Template }][] {
  const outputs = (template['Outputs'] ?? {}) as Readonly<
    Record<string, { readonly Value: unknown; readonly Export?: { readonly Name: string } }>
  >;
  return Object.values(outputs).flatMap(({ Value, Export }) =>
    Export === undefined ? [] : [[Export.Name, { value: Value, template }]],
  );
}

function filledIn(value: unknown, template: Template, exports: Exports): unknown {
  const fill = (inner: unknown): unknown => filledIn(inner, template, exports);
  if (Array.isArray(value)) return value.map(fill);
  // IAM takes a number for its text, and parliament does not.
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [[name, of] = ['', undefined]] = entries;
  const typeOf = (id: string): string => template.Resources[id]?.Type ?? '';
  if (entries.length === 1) {
    if (name === 'Ref') {
      const id = String(of);
      return pseudo[id] ?? (refsAreArns.has(typeOf(id)) ? arnOf(typeOf(id), id) : id.toLowerCase());
    }
    if (name === 'Fn::GetAtt' && Array.isArray(of)) {
      const [id = '', attribute = ''] = of as readonly string[];
      return /Arn$/.test(attribute) ? arnOf(typeOf(id), id) : id.toLowerCase();
    }
    if (name === 'Fn::Join' && Array.isArray(of)) return (fill(of[1]) as readonly unknown[]).join(String(of[0]));
    if (name === 'Fn::ImportValue') {
      const found = exports.get(String(fill(of)));
      if (found === undefined) throw new Error(`nothing exports ${String(of)}`);
      return filledIn(found.value, found.template, exports);
    }
  }
  return Object.fromEntries(entries.map(([key, each]) => [key, fill(each)]));
}

const pseudo: Readonly<Record<string, string>> = {
  'AWS::Partition': 'aws',
  'AWS::Region': region,
  'AWS::AccountId': account,
  'AWS::URLSuffix': 'amazonaws.com',
  'AWS::StackName': 'stack',
};

const refsAreArns = new Set([
  'AWS::IAM::ManagedPolicy',
  'AWS::IAM::OIDCProvider',
  'AWS::SNS::Topic',
  'AWS::SageMaker::Endpoint',
  'AWS::SageMaker::EndpointConfig',
  'AWS::SageMaker::Model',
  'AWS::StepFunctions::StateMachine',
]);

const paths: Readonly<Record<string, string>> = {
  'AWS::APS::Workspace': `aps:${region}:${account}:workspace/`,
  'AWS::CloudWatch::Alarm': `cloudwatch:${region}:${account}:alarm:`,
  'AWS::ECR::Repository': `ecr:${region}:${account}:repository/`,
  'AWS::EKS::Cluster': `eks:${region}:${account}:cluster/`,
  'AWS::Events::Rule': `events:${region}:${account}:rule/`,
  'AWS::IAM::OIDCProvider': `iam::${account}:oidc-provider/`,
  'AWS::IAM::Role': `iam::${account}:role/`,
  'AWS::KMS::Key': `kms:${region}:${account}:key/`,
  'AWS::Lambda::Function': `lambda:${region}:${account}:function:`,
  'AWS::Logs::LogGroup': `logs:${region}:${account}:log-group:`,
  'AWS::S3::Bucket': 's3:::',
  'AWS::SNS::Topic': `sns:${region}:${account}:`,
  'AWS::SQS::Queue': `sqs:${region}:${account}:`,
  'AWS::SageMaker::Endpoint': `sagemaker:${region}:${account}:endpoint/`,
  'AWS::SageMaker::EndpointConfig': `sagemaker:${region}:${account}:endpoint-config/`,
  'AWS::SageMaker::Model': `sagemaker:${region}:${account}:model/`,
  'AWS::StepFunctions::StateMachine': `states:${region}:${account}:stateMachine:`,
};

function arnOf(type: string, logicalId: string): string {
  const path = paths[type];
  if (path === undefined) throw new Error(`the form of an ARN of ${type} is not known here`);
  // The ARN of a group of logs has an end of its own.
  return `arn:aws:${path}${logicalId.toLowerCase()}${type === 'AWS::Logs::LogGroup' ? ':*' : ''}`;
}
