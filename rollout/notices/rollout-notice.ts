import { printable } from '../../core/text/index.ts';
import { type NoticeTarget, postJson } from './post-json.ts';

/** One thing that happened to a rollout, for those who are not looking. */
export interface RolloutNotice {
  /** Milliseconds of the epoch. */
  readonly at: number;
  /** What is rolled out, and where. */
  readonly subject: string;
  readonly text: string;
  readonly warn: boolean;
  /** The page of the run. */
  readonly link?: string;
}

/** `{ "text": ... }`, as incoming webhooks of Slack, Mattermost and many others take it. */
export async function sendToWebhook(target: NoticeTarget, notice: RolloutNotice): Promise<void> {
  const { subject, text, warn, link } = notice;
  const more = link === undefined ? '' : ` (<${link.replace(/[<>|]/g, '')}|run>)`;
  await postJson(target, { text: `${warn ? ':warning: ' : ''}*${slackText(subject)}* ${slackText(text)}${more}` });
}

/** An annotation on every dashboard that shows the tags `sluice` and `canary`. `url` is Grafana's own address. */
export async function annotateGrafana(target: NoticeTarget, notice: RolloutNotice): Promise<void> {
  const { at, subject, text, warn } = notice;
  const url = new URL('api/annotations', String(target.url).replace(/\/*$/, '/'));
  await postJson(
    { ...target, url },
    { time: at, tags: ['sluice', 'canary', ...(warn ? ['warning'] : [])], text: htmlText(`${subject}: ${text}`) },
  );
}

/** Slack's three control characters; a name from outside must not make a mention, a link or a list of bold words. */
function slackText(text: string): string {
  return printable(text)
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/[*_~`]/g, (mark) => `\u200b${mark}`)
    .slice(0, 2000);
}

/** Grafana shows annotations as HTML. */
function htmlText(text: string): string {
  return printable(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
