/**
 * What the AWS constructs give Managed Prometheus, before the programs that it runs: its rules before promtool and beside the cluster's, its
 * scraper's configuration, and its alert manager's before a real Alertmanager that hands alerts over to a stand-in of SNS.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Chart, Testing } from 'cdk8s';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { resolved } from '../../constructs/aws/fixtures/resolved.ts';
import { AlertTopic, ManagedPrometheus } from '../../constructs/aws/index.ts';
import type { ServingRulesOptions } from '../../constructs/dashboards/index.ts';
import { ModelAlerts, type MonitoredServer } from '../../constructs/kubernetes/index.ts';
import { servingProfileNames } from '../../core/telemetry/index.ts';
import { startAlertmanager } from '../prometheus/alertmanager.ts';
import { promtoolBinary } from '../prometheus/prometheus-binary.ts';
import type { Peer } from '../serving/peer.ts';

const run = promisify(execFile);

const options = (profile: ServingRulesOptions['profile']): ServingRulesOptions => ({
  profile,
  selector: { namespace: 'shop', labels: { job: 'churn' } },
  drift: { accuracy: 0.9 },
  gpu: {},
  reward: {},
});

const stack = new Stack(new App({ analyticsReporting: false }), 'Stack', {
  env: { account: '111122223333', region: 'eu-west-1' },
});
const prometheus = new ManagedPrometheus(stack, 'Prometheus', {
  rules: Object.fromEntries(servingProfileNames.map((profile) => [profile, options(profile)])),
  pages: new AlertTopic(stack, 'Pages'),
  notices: new AlertTopic(stack, 'Notices'),
});
prometheus.scrape('Scraper', {
  clusterArn: 'arn:aws:eks:eu-west-1:111122223333:cluster/models',
  subnetIds: ['subnet-1', 'subnet-2'],
  pods: [
    { instance: 'churn', namespace: 'shop' },
    { instance: 'ranker', port: 'metrics' },
  ],
});
const template = Template.fromStack(stack);

function properties(type: string): readonly Readonly<Record<string, string>>[] {
  return Object.values(template.findResources(type)).map(
    ({ Properties }) => resolved(Properties) as Readonly<Record<string, string>>,
  );
}

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-managed-prometheus-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What promtool says of a file's text; empty when all is well. */
async function promtool(what: 'rules' | 'config', text: string): Promise<string> {
  const file = join(folder, `${what}.yml`);
  writeFileSync(file, text);
  const lint = what === 'rules' ? ['--lint=all', '--lint-fatal'] : ['--syntax-only'];
  try {
    await run(await promtoolBinary(), ['check', what, ...lint, file]);
    return '';
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as Error & { stdout?: string; stderr?: string };
    return `${stdout}${stderr}` || message;
  }
}

const namespaces = properties('AWS::APS::RuleGroupsNamespace');

describe('the rules of a Managed Prometheus workspace', () => {
  test('are there for every server that is understood', () => {
    expect(namespaces.map(({ Name }) => Name).toSorted()).toEqual([...servingProfileNames].toSorted());
  });

  test.each(namespaces.map(({ Name = '', Data = '' }) => [Name, Data]))(
    'of %s are what promtool takes',
    async (_, data) => {
      expect(await promtool('rules', data)).toBe('');
    },
  );

  test.each(namespaces.map(({ Name = '', Data = '' }) => [Name, Data]))(
    'of %s are those of the PrometheusRule in a cluster',
    (name, data) => {
      const profile = servingProfileNames.find((each) => each === name) ?? 'http';
      const target: MonitoredServer = {
        identity: { name: 'server', instance: 'churn', component: 'model-server' },
        metrics: { port: 'http', path: '/metrics', profile },
      };
      const chart = new Chart(Testing.app(), 'shop', { namespace: 'shop' });
      const { profile: _, ...rest } = options(profile);
      new ModelAlerts(chart, 'alerts', { targets: [target], ...rest });
      const [rule] = Testing.synth(chart) as readonly { readonly spec: { readonly groups: unknown } }[];
      expect(parse(data)).toEqual({ groups: rule?.spec.groups });
    },
  );

  test('are wrong where an expression is: promtool looks at the text that is deployed', async () => {
    const [first] = namespaces;
    expect(await promtool('rules', (first?.['Data'] ?? '').replace('sum by', 'sum buy'))).toMatch(/parse error/);
  });
});

test("the scraper's configuration is one that Prometheus takes", async () => {
  const [blob = ''] = properties('AWS::APS::Scraper').map(({ ScrapeConfiguration }) => {
    const { ConfigurationBlob } = Object(ScrapeConfiguration) as { readonly ConfigurationBlob: string };
    return ConfigurationBlob;
  });
  expect(await promtool('config', Buffer.from(blob, 'base64').toString())).toBe('');
});

/** A message as it came to SNS. */
interface Published {
  readonly topic: string;
  readonly subject: string;
  readonly message: string;
  readonly severity: string;
}

/** SNS' Publish, which answers that it was done. https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */
function snsStandIn(published: Published[]): Server {
  return createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += String(chunk);
    });
    request.on('end', () => {
      const asked = new URLSearchParams(body);
      const text = (name: string) => asked.get(name) ?? '';
      expect(text('Action')).toBe('Publish');
      published.push({
        topic: text('TopicArn'),
        subject: text('Subject'),
        message: text('Message'),
        severity: text('MessageAttributes.entry.1.Value.StringValue'),
      });
      response.setHeader('Content-Type', 'text/xml');
      response.end(
        '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>1</MessageId></PublishResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></PublishResponse>',
      );
    });
  });
}

interface SnsReceiver {
  api_url?: string;
  sigv4: Record<string, string>;
}

describe('the alert manager', () => {
  const published: Published[] = [];
  let sns: Server;
  let alertmanager: Peer;

  beforeAll(async () => {
    sns = snsStandIn(published).listen(0, '127.0.0.1');
    await new Promise((resolve) => sns.once('listening', resolve));
    const [workspace] = properties('AWS::APS::Workspace');
    const definition = parse(workspace?.['AlertManagerDefinition'] ?? '') as { readonly alertmanager_config: string };
    const config = parse(definition.alertmanager_config) as {
      readonly route: Record<string, unknown>;
      readonly receivers: readonly { readonly sns_configs?: readonly SnsReceiver[] }[];
    };
    // SNS is elsewhere, there are credentials, and nobody waits half a minute; all else is as it is deployed.
    for (const receiver of config.receivers.flatMap(({ sns_configs = [] }) => sns_configs)) {
      receiver.api_url = `http://127.0.0.1:${(sns.address() as AddressInfo).port}`;
      Object.assign(receiver.sigv4, { access_key: 'key', secret_key: 'secret' });
    }
    config.route['group_wait'] = '1s';
    alertmanager = await startAlertmanager(stringify(config));
  }, 600_000);

  afterAll(async () => {
    await alertmanager?.stop();
    sns?.close();
  });

  test('hands each alert over to the topic of its severity, with what to do, and tells nobody of the rest', async () => {
    const alert = (severity: string, alertname: string) => ({
      labels: { alertname, severity, namespace: 'shop', model_name: 'churn' },
      annotations: { summary: `${alertname} happened.`, description: 'More than 1.44 %.', runbook: 'Roll it back.' },
    });
    const response = await fetch(`${alertmanager.url}/api/v2/alerts`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify([
        alert('critical', 'ModelErrorsBurnFast'),
        alert('warning', 'ModelErrorsBurnSlow'),
        alert('info', 'GpuIdle'),
      ]),
    });
    expect(response.status).toBe(200);
    await expect.poll(() => published.length, { timeout: 60_000, interval: 200 }).toBe(2);
    // Another second, for what must not come.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const topics = properties('AWS::SNS::TopicPolicy').flatMap(({ Topics }) => Topics ?? []);
    expect(topics).toHaveLength(2);
    expect(published.toSorted((a, b) => (a.severity < b.severity ? -1 : 1))).toEqual([
      {
        topic: topics.find((topic) => topic.includes('Pages')),
        subject: 'FIRING ModelErrorsBurnFast',
        message: 'FIRING: ModelErrorsBurnFast happened.\nMore than 1.44 %.\nRoll it back.\n\n',
        severity: 'critical',
      },
      {
        topic: topics.find((topic) => topic.includes('Notices')),
        subject: 'FIRING ModelErrorsBurnSlow',
        message: 'FIRING: ModelErrorsBurnSlow happened.\nMore than 1.44 %.\nRoll it back.\n\n',
        severity: 'warning',
      },
    ]);
  });
});
