import { createHmac } from 'node:crypto';
import { cloudEventTypeOf, type Notification } from '@haven/execution';

/** The target as it is sent to, with its secrets in clear. */
export interface OpenTarget {
  readonly type: 'http' | 'slack';
  readonly payloadFormat: string;
  readonly authHeader: string | undefined;
  readonly secret: string | undefined;
}

export interface ToSend {
  /** The same for every target and every attempt. */
  readonly id: string;
  /** Undefined for a policy of the whole installation. */
  readonly projectId: number | undefined;
  readonly policyId: number;
  readonly notification: Notification;
}

/** Longest text of a section in a Slack message, less what stands around it. */
const SLACK_TEXT = 2900;

/** What is sent: body and headers. */
export function webhookRequest(target: OpenTarget, { id, projectId, policyId, notification }: ToSend, now: Date): { readonly body: string; readonly headers: Record<string, string> } {
  const cloud = target.type === 'http' && target.payloadFormat === 'CloudEvents';
  const body = JSON.stringify(target.type === 'slack' ? slackMessage(notification) : cloud ? cloudEvent(id, projectId, policyId, notification) : plain(notification));
  const timestamp = String(Math.floor(now.getTime() / 1000));
  return {
    body,
    headers: {
      'Content-Type': cloud ? 'application/cloudevents+json' : 'application/json',
      'webhook-id': id, 'webhook-timestamp': timestamp,
      ...(target.secret === undefined ? {} : { 'webhook-signature': signature(target.secret, `${id}.${timestamp}.${body}`) }),
      ...(target.authHeader === undefined ? {} : { Authorization: target.authHeader }),
    },
  };
}

/** As the Standard Webhooks specification has it: a secret that begins with whsec_ is base64. */
function signature(secret: string, signed: string): string {
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : Buffer.from(secret);
  return `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
}

function plain({ type, occur_at, operator, event_data }: Notification): object {
  return { type, occur_at, operator, event_data };
}

function cloudEvent(id: string, projectId: number | undefined, policyId: number, { type, occur_at: at, operator, request_id: requestid, event_data: data }: Notification): object {
  return {
    specversion: '1.0', id, source: `/${projectId === undefined ? 'system' : `projects/${projectId}`}/webhook/policies/${policyId}`, type: cloudEventTypeOf(type), datacontenttype: 'application/json',
    time: new Date(at * 1000).toISOString(), ...(requestid === '' ? {} : { requestid }), operator, data,
  };
}

function slackMessage({ type, occur_at: at, operator, event_data: data }: Notification): object {
  const section = (text: string): object => ({ type: 'section', text: { type: 'mrkdwn', text } });
  const json = escaped(JSON.stringify(data, undefined, 2).replaceAll('`', '\\u0060'));
  return {
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: 'Haven webhook events' } },
      section(`*event_type:* ${type}`), section(`*occur_at:* ${new Date(at * 1000).toISOString()}`), section(`*operator:* ${escaped(operator.replace(/[*_~`]/g, ' '))}`),
      section(`*event_data:*\n\`\`\`${cut(json)}\`\`\``),
    ],
  };
}

/** Never through a character that is escaped, or that takes two. */
function cut(text: string): string {
  return text.length <= SLACK_TEXT ? text : `${text.slice(0, SLACK_TEXT).replace(/(?:&[a-z]{0,3}|[\uD800-\uDBFF])$/, '')}…`;
}

/** Slack reads mentions and links between < and >; these three characters are all it wants escaped. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
