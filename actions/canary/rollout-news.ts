import type { Host } from '../../core/host/index.ts';
import { excerpt } from '../../core/text/index.ts';
import { apiOf, describeApiFailure, type OpenDeployment, openDeployment } from '../../github/index.ts';
import {
  annotateGrafana,
  type NoticeTarget,
  noticeUrl,
  type RolloutNotice,
  type RolloutRecord,
  type RolloutResult,
  sendToWebhook,
  type Turn,
} from '../../rollout/index.ts';
import type { CanaryGate } from './canary-gate.ts';
import { type CanaryInputs, secretOf } from './canary-inputs.ts';
import { Outbox } from './outbox.ts';

/** Who is to be told. */
export type NewsInputs = Pick<CanaryInputs, 'webhook' | 'grafanaUrl' | 'grafanaTokenVariable' | 'deployment' | 'token'>;

/** Those who are told of a rollout while it goes on: a webhook, Grafana, GitHub's deployments. None of them decides anything. */
export class RolloutNews {
  readonly #outbox: Outbox;
  readonly #subject: string;
  readonly #link: string | undefined;
  readonly #webhook: NoticeTarget | undefined;
  readonly #grafana: NoticeTarget | undefined;
  readonly #deployment: OpenDeployment | undefined;
  #lastPhase: RolloutRecord['phase'] | undefined;

  private constructor(
    outbox: Outbox,
    about: { readonly subject: string; readonly link: string | undefined },
    receivers: {
      readonly webhook?: NoticeTarget;
      readonly grafana?: NoticeTarget;
      readonly deployment?: OpenDeployment | undefined;
    },
  ) {
    this.#outbox = outbox;
    this.#subject = about.subject;
    this.#link = about.link;
    this.#webhook = receivers.webhook;
    this.#grafana = receivers.grafana;
    this.#deployment = receivers.deployment;
  }

  /** Throws an `InputError` for an address or a token that is none, before anything moves. */
  static open(
    inputs: NewsInputs,
    gate: Pick<CanaryGate, 'event'>,
    {
      id,
      title,
      name,
      host,
    }: { readonly id: string; readonly title: string; readonly name?: string; readonly host: Host },
    environment: Readonly<Record<string, string | undefined>> = process.env,
  ): RolloutNews {
    const { event } = gate;
    const outbox = new Outbox((receiver, error) => {
      const why =
        receiver === 'deployment'
          ? describeApiFailure(error, 'deployments: write', event?.fork ?? false)
          : error instanceof Error
            ? error.message
            : String(error);
      host.warning(`${words[receiver] ?? receiver} could not be told, and the rollout goes on: ${why}.`);
    });
    const { webhook, grafanaUrl, grafanaTokenVariable } = inputs;
    if (webhook !== undefined) host.secret(webhook);
    const token = secretOf(grafanaTokenVariable, 'grafana-token-env', environment);
    if (token !== undefined) host.secret(token);
    return new RolloutNews(
      outbox,
      { subject: `${name === undefined ? '' : `${excerpt(name, 60)}: `}canary ${id} on ${title}`, link: event?.runUrl },
      {
        ...(webhook === undefined ? {} : { webhook: { url: noticeUrl(webhook, 'the webhook') } }),
        ...(grafanaUrl === undefined
          ? {}
          : {
              grafana: {
                url: noticeUrl(grafanaUrl, 'Grafana'),
                ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
              },
            }),
        deployment: deploymentOf(inputs, gate, id, host),
      },
    );
  }

  /** What was said in a turn goes out; nothing is waited for. */
  tell({ at, messages, record }: Turn): void {
    this.#lastPhase = record.phase;
    for (const { text, warn } of messages) this.#say({ at, text, warn });
    const last = messages.at(-1);
    if (last !== undefined) this.#show(record, last.text);
  }

  /** How it ended, where no turn of this run told it: somebody else ended the rollout. */
  conclude({ outcome, record, before }: RolloutResult): void {
    if (before || outcome === 'holding' || this.#lastPhase === outcome) return;
    const text = outcome === 'promoted' ? 'Promoted.' : `Rolled back: ${record.reason ?? 'by another run'}.`;
    this.#say({ at: Date.now(), text, warn: outcome === 'rolled-back' });
    this.#show({ phase: outcome }, text);
  }

  /** The rollout could not be run to an end. */
  broke(why: string): void {
    const deployment = this.#deployment;
    if (deployment !== undefined) this.#outbox.send('deployment', () => deployment.tell('error', why));
    this.#say({ at: Date.now(), text: `The run broke: ${why}`, warn: true });
  }

  /** Waits for what is on its way, for a while. */
  async close(milliseconds: number): Promise<void> {
    await this.#outbox.drain(milliseconds);
  }

  #say(what: Pick<RolloutNotice, 'at' | 'text' | 'warn'>): void {
    const notice = { ...what, subject: this.#subject, ...(this.#link === undefined ? {} : { link: this.#link }) };
    const [webhook, grafana] = [this.#webhook, this.#grafana];
    if (webhook !== undefined) this.#outbox.send('webhook', () => sendToWebhook(webhook, notice));
    if (grafana !== undefined) this.#outbox.send('grafana', () => annotateGrafana(grafana, notice));
  }

  #show({ phase }: Pick<RolloutRecord, 'phase'>, text: string): void {
    const deployment = this.#deployment;
    if (deployment === undefined) return;
    const state = phase === 'promoted' ? 'success' : phase === 'rolled-back' ? 'failure' : 'in_progress';
    this.#outbox.send('deployment', () => deployment.tell(state, text));
  }
}

const words: Readonly<Record<string, string>> = {
  webhook: 'The webhook',
  grafana: 'Grafana',
  deployment: "GitHub's deployment",
};

function deploymentOf(
  { deployment, token }: NewsInputs,
  { event }: Pick<CanaryGate, 'event'>,
  id: string,
  host: Host,
): OpenDeployment | undefined {
  if (deployment === undefined || event === undefined || event.headSha === '') return undefined;
  const api = apiOf(event, token, host);
  if (api === undefined) {
    host.warning('No deployment on GitHub: the input "token" is empty.');
    return undefined;
  }
  return openDeployment(api, { environment: deployment, ref: event.headSha, id, logUrl: event.runUrl });
}
