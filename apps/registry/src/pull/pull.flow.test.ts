import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TestClient } from '../testing/test-client.js';

interface Told {
  readonly type: string;
  readonly actor: string;
  readonly payload: Record<string, unknown>;
  readonly origin: unknown;
}

let client: TestClient;
beforeAll(async () => {
  client = await TestClient.start();
});
afterAll(() => client.stop());

const told = async (type: string): Promise<Told[]> => client.registry.database.query<Told>('SELECT type, actor, payload, origin FROM outbox WHERE type = $1 ORDER BY id', [type]);

describe('events', () => {
  test('say who caused them and from where: the client that a trusted proxy names', async () => {
    const forwarded = { 'x-forwarded-for': '8.8.8.8, 198.51.100.7', 'x-request-id': 'the-push' };
    const body = JSON.stringify({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [] });
    const headers = { ...forwarded, 'content-type': 'application/vnd.oci.image.index.v1+json' };
    expect((await client.call('PUT', '/v2/alpha/app/manifests/audited', { body, headers })).status).toBe(201);
    expect(await told('artifact.pushed')).toMatchObject([{ actor: 'user:1', origin: { name: 'user:1', address: '198.51.100.7', requestId: 'the-push' } }]);
    expect((await client.call('DELETE', '/v2/alpha/app/manifests/audited')).status).toBe(202);
    expect(await told('tag.deleted')).toMatchObject([{ actor: 'user:1', origin: { address: '127.0.0.1' } }]);
  });

  test('tell of many pulls at once, and of none while that is switched off', async () => {
    await client.pushImage('pulled');
    const [first, second] = [await client.registry.replica(), await client.registry.replica()];
    const pull = (url: string, reference: string): Promise<Response> => fetch(`${url}/v2/alpha/app/manifests/${reference}`, {
      headers: { authorization: `Bearer ${client.developer}`, 'x-forwarded-for': '198.51.100.8' },
    });
    for (let time = 0; time < 20; time++) expect((await pull(first.url, 'pulled')).status).toBe(200);
    expect((await fetch(`${first.url}/v2/alpha/app/manifests/pulled`, { method: 'HEAD', headers: { authorization: `Bearer ${client.developer}` } })).status).toBe(200);
    await first.stop();
    const pulls = await told('artifact.pulled');
    expect(pulls).toMatchObject([{ actor: 'user:1', payload: { project: 1, repository: 'alpha/app', tag: 'pulled', count: 20 }, origin: { name: 'user:1', address: '198.51.100.8' } }]);
    await client.registry.database.execute(`INSERT INTO setting (key, value) VALUES ('pull_audit_log_disable', 'true')`);
    expect((await pull(second.url, 'pulled')).status).toBe(200);
    await second.stop();
    expect(await told('artifact.pulled')).toEqual(pulls);
  });
});
