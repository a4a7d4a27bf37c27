import { expect, test } from '@jest/globals';
import type { Notification } from '@haven/execution';
import { webhookRequest, type OpenTarget } from './webhook-request.js';

const NOW = new Date('2026-01-02T03:04:05Z');

function target(more: Partial<OpenTarget>): OpenTarget {
  return { type: 'http', payloadFormat: 'Default', authHeader: undefined, secret: undefined, ...more };
}

function notification(data: object): Notification {
  return { type: 'PUSH_ARTIFACT', occur_at: 1, operator: 'o', request_id: '', event_data: { ...data } };
}

function slackText(data: object): string {
  const { body } = webhookRequest(target({ type: 'slack', payloadFormat: '' }), { id: 'i', projectId: 1, policyId: 2, notification: notification(data) }, NOW);
  const { blocks } = JSON.parse(body) as { blocks: { text: { text: string } }[] };
  return blocks.at(-1)?.text.text ?? '';
}

test.each(['&', '<', '🐳', '`', 'x'])('a Slack message with %j again and again is short enough, and not cut through anything', (character) => {
  for (let more = 0; more < 6; more++) {
    const text = slackText({ a: `${'x'.repeat(more)}${character.repeat(3000)}` });
    expect(text.length).toBeLessThan(3000);
    expect(text).toMatch(/…```$/);
    expect(text).not.toMatch(/\p{Surrogate}/u);
    expect(text.replace(/&(?:amp|lt|gt);/g, '')).not.toContain('&');
    expect(text.slice('*event_data:*\n```'.length, -3)).not.toContain('`');
  }
});

test('a CloudEvent of a policy of the installation names that, and no request where there was none', () => {
  const { body } = webhookRequest(target({ payloadFormat: 'CloudEvents' }), { id: 'i', projectId: undefined, policyId: 2, notification: notification({ a: 1 }) }, NOW);
  expect(JSON.parse(body)).toEqual({
    specversion: '1.0', id: 'i', source: '/system/webhook/policies/2', type: 'harbor.artifact.pushed', datacontenttype: 'application/json', time: '1970-01-01T00:00:01.000Z', operator: 'o', data: { a: 1 },
  });
});

test('a secret that begins with whsec_ is base64', () => {
  const sent = (secret: string) => webhookRequest(target({ secret }), { id: 'i', projectId: 1, policyId: 2, notification: notification({}) }, NOW).headers['webhook-signature'];
  expect(sent(`whsec_${Buffer.from('key').toString('base64')}`)).toBe(sent('key'));
  expect(sent('key')).not.toBe(sent('other'));
});
