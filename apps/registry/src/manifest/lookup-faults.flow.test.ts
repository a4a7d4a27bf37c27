import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { breakLookups } from '@haven/database';
import { digestOf, OCI_IMAGE_MANIFEST } from '@haven/oci';
import { TestClient } from '../testing/test-client.js';

const PROTECTED = {
  action: 'immutable', template: 'immutable_template', tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern: 'v*' }],
  scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: '**' }] },
};
const TABLES = ['repository', 'blob', 'repository_blob', 'manifest', 'tag', 'tag_event', 'upload', 'outbox', 'bin_entry', 'project_blob'];
/** A statement that took too long, a right that is missing, a disk that fails, a row that is damaged. */
const FAULTS = ['57014', '42501', '58030', 'XX001'];

let client: TestClient;
let first: string;
let other: Buffer;
let layer: string;
let begun: string;
let mend: () => Promise<void> = () => Promise.resolve();

beforeAll(async () => {
  client = await TestClient.start();
  await client.registry.database.execute('INSERT INTO immutability_rule (project_id, rule) VALUES (1, $1)', [JSON.stringify(PROTECTED)]);
  await client.registry.database.execute('UPDATE project SET storage_limit = $1 WHERE id = 1', [1024 ** 2]);
  ({ digest: first } = await client.pushImage('v1'));
  ({ bytes: other } = await client.pushImage('latest', { annotations: { other: 'yes' } }));
  layer = await client.pushBlob(Buffer.from('nobody names this'));
  begun = await client.startUpload();
});
afterAll(() => client.stop());
beforeEach(() => forget());
afterEach(async () => {
  await mend();
  mend = () => Promise.resolve();
  forget();
});

/** Settings are read anew from here on. */
function forget(): void {
  client.registry.broadcasts.publish('settings-changed', {});
}

async function state(): Promise<unknown> {
  return Promise.all(TABLES.map((table) => client.registry.database.query(`SELECT t::text FROM ${table} t ORDER BY 1`)));
}

type Request = readonly [method: string, path: () => string, body?: () => Uint8Array];

const fresh = (): Buffer => Buffer.from(`fresh ${Math.random()}`);
const manifests = (reference: string): string => `/v2/alpha/app/manifests/${reference}`;

const DOORS: Readonly<Record<string, readonly Request[]>> = {
  immutability_rule: [
    ['PUT', () => manifests('v1'), () => other], ['PUT', () => manifests('latest'), () => other], ['PUT', () => `${manifests(digestOf(other))}?tag=v1`, () => other],
    ['DELETE', () => manifests('v1')], ['DELETE', () => manifests('latest')], ['DELETE', () => manifests(first)], ['DELETE', () => `/v2/alpha/app/blobs/${layer}`],
  ],
  // Whether the installation is read-only, and whether quotas count, are settings.
  setting: [
    ['POST', () => '/v2/alpha/app/blobs/uploads/'], ['POST', () => `/v2/alpha/other/blobs/uploads/?mount=${layer}&from=alpha/app`], ['PATCH', () => begun, fresh], ['DELETE', () => begun],
    ['PUT', () => manifests('free'), () => other], ['DELETE', () => manifests('latest')], ['DELETE', () => `/v2/alpha/app/blobs/${layer}`],
  ],
  // What a project uses.
  quota_change: [
    ['POST', () => '/v2/alpha/app/blobs/uploads/'], ['PATCH', () => begun, fresh], ['PUT', () => manifests('free'), () => Buffer.from(other.toString().replace('yes', 'new'))],
  ],
};

describe('F-16: a rule that cannot be looked up is not taken for one that is not there:', () => {
  test.each(Object.keys(DOORS).flatMap((table) => FAULTS.map((fault) => [table, fault])))('%s, with %s', async (table, fault) => {
    const before = await state();
    mend = await breakLookups(client.registry.database, table, fault);
    forget();
    for (const [method, path, body] of DOORS[table] ?? []) {
      const response = await client.call(method, path(), { headers: { 'content-type': OCI_IMAGE_MANIFEST }, ...(body === undefined ? {} : { body: body() }) });
      expect([method, path(), response.status, await response.json()]).toEqual([method, path(), 500, { errors: [{ code: 'UNKNOWN', message: expect.not.stringMatching(/planted|SELECT|relation|immutab|quota/) }] }]);
    }
    await mend();
    mend = () => Promise.resolve();
    forget();
    expect(await state()).toEqual(before);
    expect((await client.call('HEAD', manifests('v1'))).headers.get('docker-content-digest')).toBe(first);
  });

  test.each(['immutability_rule', 'setting', 'quota_change'])('and once %s can be read again, all is as it was', async (table) => {
    const undo = await breakLookups(client.registry.database, table);
    await undo();
    forget();
    expect((await client.call('PUT', manifests('v1'), { headers: { 'content-type': OCI_IMAGE_MANIFEST }, body: other })).status).toBe(412);
    expect((await client.call('PUT', manifests('latest'), { headers: { 'content-type': OCI_IMAGE_MANIFEST }, body: other })).status).toBe(201);
  });
});
