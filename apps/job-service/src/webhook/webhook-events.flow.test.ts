import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Catalog, CatalogError } from '@haven/catalog';
import { digestOf, OCI_IMAGE_CONFIG, OCI_IMAGE_INDEX, OCI_IMAGE_MANIFEST, parseManifest, type Digest } from '@haven/oci';
import { FakeLogger } from '@haven/runtime';
import { ORIGIN, eventually, push, WebhookWorld, type Told } from './testing/webhook-world.js';

const QUOTA = ['QUOTA_EXCEED', 'QUOTA_WARNING'];

let world: WebhookWorld;
let catalog: Catalog;

beforeEach(async () => {
  world = await WebhookWorld.open();
  catalog = new Catalog(world.fixture.database, new FakeLogger());
  await world.fixture.database.execute(`UPDATE project SET metadata = '{"allow_sparse_manifests": "true"}'`);
});
afterEach(() => world.close());

interface Pushed {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

async function put(document: object, tags: readonly string[]): Promise<Pushed> {
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, ...document }));
  const [manifest, digest] = [parseManifest(bytes, undefined), digestOf(bytes)];
  await catalog.putManifest({ repository: 'alpha/app', projectId: 1, actor: 'user:1', digest, manifest, size: bytes.length, tags });
  return { mediaType: manifest.mediaType, digest, size: bytes.length };
}

function image(content: string, tags: readonly string[], more: object = {}): Promise<Pushed> {
  const config = Buffer.from(content);
  return put({ mediaType: OCI_IMAGE_MANIFEST, config: { mediaType: OCI_IMAGE_CONFIG, digest: digestOf(config), size: config.length }, layers: [], ...more }, tags);
}

function addBlob(size: number, name: string): Promise<void> {
  return catalog.addBlob({ repository: 'alpha/app', projectId: 1, actor: 'user:1', digest: digestOf(Buffer.from(name)), size });
}

async function limit(bytes: number): Promise<void> {
  await world.fixture.database.execute('UPDATE project SET storage_limit = $1 WHERE id = 1', [bytes]);
}

const toldOf = (type: string): Told[] => world.told().filter((one) => one.type === type);

test('an artifact that is deleted is told of once, with its tags; one that goes with its repository, too, but not what only hung on another', async () => {
  const url = await world.receiver();
  await world.policy([{ address: url }], { events: ['DELETE_ARTIFACT'] });
  const doomed = await image('doomed', ['b', 'a']);
  const child = await image('child', []);
  const index = await put({ mediaType: OCI_IMAGE_INDEX, manifests: [child] }, ['multi']);
  await image('signature', [], { subject: index });
  const untagged = await image('untagged', []);
  await catalog.deleteArtifact({ repository: 'alpha/app', digest: doomed.digest, actor: 'user:1', cascade: true });
  await catalog.deleteRepository({ repository: 'alpha/app', actor: 'user:1' });
  await world.start();
  await eventually('three deliveries', async () => (await world.count('delivered')) === 3);
  await eventually('every event being handled', () => world.handled());
  const resource = ({ digest }: Pushed, tag: string): object => ({ digest, tag, resource_url: `haven.example:8443/alpha/app${tag === digest ? '@' : ':'}${tag}` });
  expect(world.told().map(({ type, event_data: { resources } }) => [type, resources])).toEqual([
    ['DELETE_ARTIFACT', [resource(doomed, 'a'), resource(doomed, 'b')]], ['DELETE_ARTIFACT', [resource(index, 'multi')]], ['DELETE_ARTIFACT', [resource(untagged, untagged.digest)]],
  ]);
  expect(world.told()[0]?.event_data.repository).toEqual({ name: 'app', namespace: 'alpha', repo_full_name: 'alpha/app', repo_type: 'private' });
  expect(await world.count('waiting')).toBe(0);
});

test('a project is warned of its quota once for each time that it comes near it, and told of refusals once until something changes', async () => {
  const url = await world.receiver();
  await world.policy([{ address: url }], { events: QUOTA });
  await limit(100_000);
  await addBlob(84_000, 'first');
  await world.start();
  await world.tell([push(['1'], 'alpha/app')]);
  await eventually('the push being handled', () => world.handled());
  await addBlob(2000, 'second');
  await world.tell([push(['2', '3'], 'alpha/app')]);
  await world.tell([push(['4'], 'alpha/app')]);
  await eventually('the warning', () => toldOf('QUOTA_WARNING').length === 1);
  for (const name of ['third', 'third', 'fourth']) await expect(addBlob(50_000, name)).rejects.toThrow(CatalogError);
  await eventually('the refusal', () => toldOf('QUOTA_EXCEED').length === 1);
  await limit(110_000);
  await expect(addBlob(50_000, 'third')).rejects.toThrow(CatalogError);
  await eventually('the next refusal', () => toldOf('QUOTA_EXCEED').length === 2);
  await limit(1_000_000);
  await world.tell([push(['5'], 'alpha/app')]);
  await eventually('every event being handled', () => world.handled());
  await limit(100_000);
  await world.tell([push(['6'], 'alpha/app')]);
  await eventually('the next warning', () => toldOf('QUOTA_WARNING').length === 2);
  await eventually('every event being handled', () => world.handled());
  expect(world.received).toHaveLength(4);
  const [warning] = toldOf('QUOTA_WARNING');
  const [refusal] = toldOf('QUOTA_EXCEED');
  const repository = { name: 'app', namespace: 'alpha', repo_full_name: 'alpha/app', repo_type: 'private', date_created: expect.any(Number) };
  expect(warning).toMatchObject({ operator: ORIGIN.name, event_data: { resources: [{ digest: 'sha256:0', tag: expect.stringMatching(/^[24]$/) }], repository, custom_attributes: { Details: 'quota usage reach 85%: resource storage used 84.0 KiB of 97.7 KiB' } } });
  expect(refusal?.event_data).toMatchObject({ resources: [{ digest: digestOf(Buffer.from('third')) }], repository, custom_attributes: { Details: expect.stringMatching(/^Quota exceeded when processing the request of adding 48\.8 KiB of storage resource/) } });
});

test('a retention run that deleted something is told of, in the form of the Harbor API', async () => {
  const url = await world.receiver();
  await world.policy([{ address: url }], { events: ['TAG_RETENTION'] });
  await world.start();
  const rule = { template: 'latestPushedK', params: { latestPushedK: 1 }, tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern: '**' }], scope_selectors: {} };
  await world.tell([{
    type: 'retention.finished',
    more: {
      policy: 7, execution: 8, task: 9, trigger: 'SCHEDULE', total: 5, retained: 3, rules: [{ id: 1, action: 'retain', disabled: false, ...rule }],
      deleted: [{ digest: 'sha256:1', kind: 'IMAGE', tags: ['b', 'c'] }, { digest: 'sha256:2', kind: 'IMAGE', tags: [] }],
    },
  }]);
  await eventually('the delivery', async () => (await world.count('delivered')) === 1);
  expect(world.told()[0]).toEqual({
    type: 'TAG_RETENTION', occur_at: expect.any(Number), operator: 'SCHEDULE',
    event_data: {
      retention: {
        total: 5, retained: 3, harbor_hostname: 'haven.example:8443', project_name: 'alpha', retention_policy_id: 7, retention_rule: [rule], result: 'SUCCESS',
        deleted_artifact: [
          { type: 'image', status: 'SUCCESS', name_tag: 'alpha/team/app:b', references: ['b', 'c'] },
          { type: 'image', status: 'SUCCESS', name_tag: 'alpha/team/app@sha256:2', references: ['sha256:2'] },
        ],
      },
    },
  });
});

test('a policy of the installation is told of all projects, or of those that it names, and of projects that come and go', async () => {
  const { database } = world.fixture;
  const [all, some] = [await world.receiver(), await world.receiver()];
  const everything = await world.policy([{ address: all, payload_format: 'CloudEvents' }], { project: null, events: ['PUSH_ARTIFACT', 'CREATE_PROJECT', 'DELETE_PROJECT'] });
  const named = await world.policy([{ address: some }], { project: null, events: ['PUSH_ARTIFACT', 'DELETE_PROJECT'], projects: ['br?vo', 'c*'] });
  await world.policy([{ address: some }], { events: ['PUSH_ARTIFACT', 'CREATE_PROJECT'] });
  await world.start();
  await world.tell([push(['1'], 'alpha/app'), push(['2'], 'bravo/app')]);
  await database.execute(`INSERT INTO project (id, name, owner_id, public, deleted_at) VALUES (3, 'charlie', 1, true, now())`);
  await database.execute(`INSERT INTO outbox (type, payload) VALUES ('project.created', '{"project": 3, "name": "charlie"}'), ('project.deleted', '{"project": 3, "name": "charlie"}')`);
  await eventually('every event being handled', () => world.handled());
  await eventually('every delivery', async () => (await world.count('waiting')) === 0);
  const rows = await database.query<{ policy_id: number; what: string }>(`SELECT policy_id, event_type || ' ' || subject AS what FROM webhook_delivery WHERE state = 'delivered' ORDER BY policy_id, id`);
  expect(rows.filter(({ policy_id: id }) => id === everything).map(({ what }) => what).sort()).toEqual(['CREATE_PROJECT charlie', 'DELETE_PROJECT charlie', 'PUSH_ARTIFACT alpha/app', 'PUSH_ARTIFACT bravo/app']);
  expect(rows.filter(({ policy_id: id }) => id === named).map(({ what }) => what).sort()).toEqual(['DELETE_PROJECT charlie', 'PUSH_ARTIFACT bravo/app']);
  expect(rows).toHaveLength(7);
  const created = world.received.map(({ body }) => JSON.parse(body) as Record<string, unknown>).find(({ type }) => type === 'haven.project.created');
  expect(created).toMatchObject({ source: `/system/webhook/policies/${everything}`, data: { project: { project_id: 3, name: 'charlie', repo_type: 'public' } } });
});
