import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { digestOf, OCI_IMAGE_MANIFEST } from '@haven/oci';
import { TestClient } from '../testing/test-client.js';
import type { Replica } from '../testing/test-registry.js';

const AT_ONCE = 50;

let client: TestClient;
let replica: Replica;

beforeAll(async () => {
  client = await TestClient.start();
  replica = await client.registry.replica();
  await client.registry.database.execute('INSERT INTO immutability_rule (project_id, rule) VALUES (1, $1)', [JSON.stringify({
    action: 'immutable', template: 'immutable_template', tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern: 'v*' }],
    scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: 'app' }] },
  })]);
});
afterAll(async () => {
  await replica.stop();
  await client.stop();
});

describe(`N-06: ${AT_ONCE} pushes of one immutable tag that is not there yet, at once on two replicas`, () => {
  test.each(['v1', 'v2', 'v3'])('one of them makes %s, and that stays', async (tag) => {
    const digest = await client.pushBlob(Buffer.from('layer'));
    const manifests = Array.from({ length: AT_ONCE }, (_, index) => Buffer.from(JSON.stringify({
      schemaVersion: 2, mediaType: OCI_IMAGE_MANIFEST, config: { mediaType: 'application/vnd.oci.empty.v1+json', digest, size: 5 }, layers: [], annotations: { [tag]: String(index) },
    })));
    const answers = await Promise.all(manifests.map(async (bytes, index) => {
      const url = index % 2 === 0 ? client.registry.url : replica.url;
      const { status } = await fetch(`${url}/v2/alpha/app/manifests/${tag}`, { method: 'PUT', body: bytes as unknown as string, headers: { authorization: `Bearer ${client.developer}`, 'content-type': OCI_IMAGE_MANIFEST } });
      return { status, digest: digestOf(bytes) };
    }));
    const winners = answers.filter(({ status }) => status === 201);
    expect([winners.length, answers.filter(({ status }) => status === 412).length]).toEqual([1, AT_ONCE - 1]);
    for (const url of [client.registry.url, replica.url]) {
      const head = await fetch(`${url}/v2/alpha/app/manifests/${tag}`, { method: 'HEAD', headers: { authorization: `Bearer ${client.developer}` } });
      expect(head.headers.get('docker-content-digest')).toBe(winners[0]?.digest);
    }
    expect(await client.registry.database.query('SELECT kind FROM tag_event WHERE tag = $1', [tag])).toEqual([{ kind: 'create' }]);
  });
});
