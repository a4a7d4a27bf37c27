import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '@haven/database';
import { FakeLogger } from '@haven/runtime';
import type { AuditEntry } from './audit-entry.js';
import { keepAuditPartitions } from './audit-partitions.js';
import { AuditStore } from './audit.store.js';
import { purgeAudit } from './purge-audit.js';

const NOW = new Date('2026-12-15T12:00:00Z');

let fixture: TestDatabase;
let store: AuditStore;
let logger: FakeLogger;
beforeEach(async () => {
  fixture = await createTestDatabase();
  store = new AuditStore(fixture.database);
  logger = new FakeLogger();
});
afterEach(() => fixture.drop());

function entry(at: string, about: Partial<AuditEntry> = {}): AuditEntry {
  return {
    eventId: randomUUID(), at: new Date(at), project: 1, subject: 'user:3', username: 'alice', operation: 'create', resourceType: 'artifact', resource: 'a/b:1', description: 'd',
    result: true, address: '', requestId: '', ...about,
  };
}

const keep = (now = NOW): Promise<void> => keepAuditPartitions(fixture.database, logger, now);

/** Lines in each partition that has some, and the names of all. */
async function partitions(): Promise<{ readonly lines: Record<string, number>; readonly names: string[] }> {
  const { database } = fixture;
  const rows = await database.query<{ name: string; count: number }>('SELECT tableoid::regclass::text AS name, count(*)::int AS count FROM audit_event GROUP BY 1 ORDER BY 1');
  const names = await database.query<{ name: string }>(`SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'audit_event'::regclass ORDER BY 1`);
  return { lines: Object.fromEntries(rows.map((row) => [row.name, row.count])), names: names.map((row) => row.name) };
}

async function counted(): Promise<Record<string, number>> {
  const rows = await fixture.database.query<{ project_id: number; events: string }>('SELECT project_id, events FROM audit_count ORDER BY 1');
  return Object.fromEntries(rows.map((row) => [row.project_id, Number(row.events)]));
}

describe('partitions', () => {
  test('are made for this month and the two that follow, over the turn of the year, once', async () => {
    await Promise.all([keep(), keep(), keep()]);
    await keep();
    expect((await partitions()).names).toEqual(['audit_event_2026_12', 'audit_event_2027_01', 'audit_event_2027_02', 'audit_event_default']);
  });

  test('take the lines that fell into the default one, whatever their month', async () => {
    await store.add([entry('2026-12-31T23:59:59.999Z'), entry('2027-01-01T00:00:00Z', { project: undefined }), entry('2024-02-29T10:00:00Z'), entry('2031-07-01T00:00:00Z')]);
    await keep();
    const expected = { audit_event_2024_02: 1, audit_event_2026_12: 1, audit_event_2027_01: 1, audit_event_2031_07: 1 };
    expect((await partitions()).lines).toEqual(expected);
    await keep();
    expect((await partitions()).lines).toEqual(expected);
    expect(await counted()).toEqual({ 0: 1, 1: 3 });
    await store.add([entry('2027-02-03T00:00:00Z')]);
    expect((await partitions()).lines).toMatchObject({ audit_event_2027_02: 1 });
  });

  test('lose nothing that is written meanwhile, and no line is there twice', async () => {
    let writing = true;
    const written: string[] = [];
    const write = async (): Promise<void> => {
      while (writing) {
        const batch = Array.from({ length: 20 }, () => entry(NOW.toISOString()));
        await store.add(batch);
        await store.add(batch);
        written.push(...batch.map(({ eventId }) => eventId));
      }
    };
    const writers = [write(), write()];
    for (let month = 0; month < 12; month += 3) await keep(new Date(Date.UTC(2026, month, 1)));
    await keep();
    writing = false;
    await Promise.all(writers);
    await keep();
    const rows = await fixture.database.query<{ id: string }>('SELECT event_id AS id FROM audit_event');
    expect(rows.map((row) => row.id).sort()).toEqual([...written].sort());
    expect(await counted()).toEqual({ 1: written.length });
  });

  test('of months gone by are removed once they are empty', async () => {
    await store.add([entry('2026-03-05T00:00:00Z'), entry('2026-05-05T00:00:00Z')]);
    await keep();
    await purgeAudit(fixture.database, { before: new Date('2026-04-01T00:00:00Z') });
    await keep();
    expect((await partitions()).names).toEqual(['audit_event_2026_05', 'audit_event_2026_12', 'audit_event_2027_01', 'audit_event_2027_02', 'audit_event_default']);
  });
});

test('an event that comes again adds no line', async () => {
  const one = entry('2026-12-01T00:00:00Z');
  expect([...(await store.add([one]))]).toEqual([one.eventId]);
  const other = entry('2026-12-01T00:00:00Z');
  expect([...(await store.add([one, other]))]).toEqual([other.eventId]);
  await keep();
  expect([...(await store.add([one, other]))]).toEqual([]);
  expect(await counted()).toEqual({ 1: 2 });
});

test('lines without a name get the one of their subject, also of a deleted one', async () => {
  const { database } = fixture;
  await database.execute(`INSERT INTO haven_user (id, external_id, username, deleted_at) VALUES (3, 'alice', 'alice', NULL), (4, 'bob', 'bob', now())`);
  await database.execute(`INSERT INTO project (id, name, owner_id) VALUES (1, 'alpha', 3)`);
  await database.execute(`INSERT INTO robot (id, name, project_id, level, creator, secret_hash, duration) VALUES (7, 'ci', 1, 'project', 'user:3', 'x', -1), (8, 'ci', NULL, 'system', 'user:3', 'x', -1)`);
  expect([...(await store.namesOf(['user:3', 'user:4', 'user:5', 'robot:7', 'robot:8', 'nonsense'], 'robot$'))].sort()).toEqual([
    ['robot:7', 'robot$alpha+ci'], ['robot:8', 'robot$ci'], ['user:3', 'alice'], ['user:4', 'bob'],
  ]);
});

describe('purging', () => {
  beforeEach(async () => {
    const old = '2026-01-01T00:00:00Z';
    await store.add([
      entry(old, { resource: 'pushed' }), entry(old, { resource: 'pulled', operation: 'pull' }), entry(old, { resource: 'tagged', resourceType: 'tag' }),
      entry(old, { resource: 'login', operation: 'login', resourceType: 'user', project: undefined }), entry('2026-06-01T00:00:00Z', { resource: 'new', operation: 'pull' }),
    ]);
  });
  const before = new Date('2026-06-01T00:00:00Z');
  const left = async (): Promise<string[]> => (await fixture.database.query<{ resource: string }>('SELECT resource FROM audit_event ORDER BY resource')).map((row) => row.resource);

  test.each<[readonly string[] | undefined, string[]]>([
    [undefined, ['new']],
    [['pull_artifact'], ['login', 'new', 'pushed', 'tagged']],
    [['other'], ['new', 'pulled', 'pushed']],
    [['other', 'create_artifact'], ['new', 'pulled']],
    [[], ['login', 'new', 'pulled', 'pushed', 'tagged']],
  ])('of %j leaves %j', async (types, remaining) => {
    const purge = types === undefined ? { before } : { before, types };
    const removed = 5 - remaining.length;
    expect(await purgeAudit(fixture.database, { ...purge, dryRun: true })).toBe(removed);
    expect(await left()).toHaveLength(5);
    expect(await purgeAudit(fixture.database, purge)).toBe(removed);
    expect(await left()).toEqual(remaining);
  });
});
