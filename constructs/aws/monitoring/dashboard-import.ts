import { CustomResource, Duration, Stack } from 'aws-cdk-lib';
import { PolicyDocument, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { DashboardJson } from '../../dashboards/index.ts';
import { allowance } from '../identity/allowance.ts';
import { EncryptedLogGroup } from './encrypted-log-group.ts';
import { importProgram } from './import-program.ts';

export interface DashboardImportProps {
  readonly workspaceId: string;
  readonly workspaceArn: string;
  /** With its scheme, without a slash at the end. */
  readonly endpoint: string;
  readonly folder: { readonly uid: string; readonly title: string };
  /** As Grafana's API takes it. @default none is made */
  readonly dataSource?: Readonly<Record<string, unknown>> & { readonly uid: string };
  readonly encryptionKey: IKey;
}

/**
 * Brings dashboards into a Managed Grafana workspace, which CloudFormation cannot: a function that stands in the template asks AWS for a token
 * of a quarter of an hour and imports them by Grafana's HTTP API. They stay when the stack goes.
 */
export class DashboardImport extends Construct {
  readonly program: CfnFunction;
  readonly role: Role;
  readonly log: EncryptedLogGroup;
  readonly #props: DashboardImportProps;
  #last: CustomResource | undefined;

  constructor(scope: Construct, id: string, props: DashboardImportProps) {
    super(scope, id);
    this.#props = props;
    this.log = new EncryptedLogGroup(this, 'Log', { prefix: '/aws/lambda/', encryptionKey: props.encryptionKey });
    this.role = new Role(this, 'Role', {
      description: `Imports dashboards for ${this.node.path}`,
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      inlinePolicies: {
        Import: new PolicyDocument({
          statements: [
            allowance(
              [
                'grafana:ListWorkspaceServiceAccounts',
                'grafana:CreateWorkspaceServiceAccount',
                'grafana:CreateWorkspaceServiceAccountToken',
                'grafana:DeleteWorkspaceServiceAccountToken',
              ],
              [props.workspaceArn],
            ),
            allowance(['logs:CreateLogStream', 'logs:PutLogEvents'], [`${this.log.arn}:*`]),
          ],
        }),
      },
    });
    this.program = new CfnFunction(this, 'Program', {
      description: 'Imports dashboards into Managed Grafana',
      code: { zipFile: importProgram() },
      handler: 'index.handler',
      runtime: 'nodejs24.x',
      architectures: ['arm64'],
      role: this.role.roleArn,
      memorySize: 256,
      // A workspace that was just made takes minutes until it answers.
      timeout: Duration.minutes(10).toSeconds(),
      loggingConfig: { logGroup: this.log.group.ref, logFormat: 'JSON' },
    });
  }

  /** One after the other: two at once would both make the account that the tokens are of. */
  add(id: string, dashboard: DashboardJson & { readonly uid: string }): CustomResource {
    const { workspaceId, endpoint, folder, dataSource } = this.#props;
    const made = new CustomResource(this, id, {
      serviceToken: this.program.attrArn,
      serviceTimeout: Duration.minutes(11),
      resourceType: 'Custom::GrafanaDashboard',
      properties: {
        WorkspaceId: workspaceId,
        Endpoint: endpoint,
        Uid: dashboard.uid,
        Folder: JSON.stringify(folder),
        ...(dataSource === undefined ? {} : { DataSource: Stack.of(this).toJsonString(dataSource) }),
        Dashboard: JSON.stringify(dashboard),
      },
    });
    // Its rights and its log before its work.
    for (const before of [this.role, this.log, ...(this.#last === undefined ? [] : [this.#last])])
      made.node.addDependency(before);
    this.#last = made;
    return made;
  }
}
