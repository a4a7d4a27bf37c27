import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createDatabase } from './database.js';
import { DatabaseUnavailable } from './database-faults.js';
import { withOrigin, type Origin } from './origin.js';
import { appendEvents, Outbox } from './outbox.js';
import { createTestDatabase, type TestDatabase } from './testing/test-database.js';

let fixture: TestDatabase;
beforeAll(async () => {
  fixture = await createTestDatabase();
});
afterAll(() => fixture.drop());

describe('schema', () => {
  test('is current after migrating, however many processes migrate at once', async () => {
    const empty = await createTestDatabase({ migrated: false });
    const replicas = [1, 2, 3].map(() => createDatabase({ url: empty.url, poolSize: 3 }));
    try {
      expect(await empty.database.schemaIsCurrent()).toBe(false);
      await Promise.all(replicas.map((replica) => replica.migrate()));
      expect(await empty.database.schemaIsCurrent()).toBe(true);
    } finally {
      await Promise.all(replicas.map((replica) => replica.close()));
      await empty.drop();
    }
  });
});

describe('transaction', () => {
  test('commits everything or nothing', async () => {
    const { database } = fixture;
    const failure = new Error('changed my mind');
    await expect(database.transaction(async (transaction) => {
      await transaction.execute(`INSERT INTO setting (key, value) VALUES ('half', '1')`);
      throw failure;
    })).rejects.toBe(failure);
    expect(await database.query(`SELECT 1 FROM setting WHERE key = 'half'`)).toEqual([]);
  });

  test('is run again after a deadlock', async () => {
    const { database } = fixture;
    await database.execute(`INSERT INTO setting (key, value) VALUES ('a', '0'), ('b', '0')`);
    let runs = 0;
    const raise = (first: string, second: string): Promise<void> => database.transaction(async (transaction) => {
      runs += 1;
      await transaction.execute(`UPDATE setting SET value = to_jsonb((value::text)::int + 1) WHERE key = $1`, [first]);
      await new Promise((resolve) => setTimeout(resolve, 100));
      await transaction.execute(`UPDATE setting SET value = to_jsonb((value::text)::int + 1) WHERE key = $1`, [second]);
    });
    await Promise.all([raise('a', 'b'), raise('b', 'a')]);
    const rows = await database.query<{ value: number }>(`SELECT value FROM setting WHERE key IN ('a', 'b')`);
    expect(rows.map((row) => row.value)).toEqual([2, 2]);
    expect(runs).toBeGreaterThan(2);
  });

  test('goes on after its connections were cut', async () => {
    const { database } = fixture;
    let cut = false;
    const value = await database.transaction(async (transaction) => {
      if (!cut) {
        cut = true;
        const [row] = await transaction.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
        await database.query('SELECT pg_terminate_backend($1)', [row?.pid]);
      }
      const [row] = await transaction.query<{ one: number }>('SELECT 1 AS one');
      return row?.one;
    });
    expect(value).toBe(1);
  });

  test('says that the database cannot be reached', async () => {
    const nobody = createDatabase({ url: 'postgres://haven:x@127.0.0.1:1/haven', poolSize: 1 });
    await expect(nobody.ping()).rejects.toBeInstanceOf(DatabaseUnavailable);
    await nobody.close();
  });
});

describe('outbox', () => {
  test('hands events on until delivery succeeds, in order, and again when nobody reports them handled', async () => {
    const { database } = fixture;
    const outbox = new Outbox(database);
    await database.transaction((transaction) => appendEvents(transaction, [
      { type: 'tag.created', payload: { tag: 'one' }, actor: 'user:1' },
      { type: 'tag.created', payload: { tag: 'two' }, actor: 'user:1' },
    ]));
    await expect(outbox.relay(10, () => Promise.reject(new Error('the queue is down')))).rejects.toThrow('the queue is down');
    expect(await outbox.lagSeconds()).toBeGreaterThan(0);
    const delivered: object[] = [];
    const deliver = (events: readonly { payload: object }[]): Promise<void> => {
      delivered.push(...events.map((event) => event.payload));
      return Promise.resolve();
    };
    expect(await outbox.relay(1, deliver)).toBe(1);
    expect(await outbox.relay(10, deliver)).toBe(1);
    expect(await outbox.relay(10, deliver)).toBe(0);
    expect(delivered).toEqual([{ tag: 'one' }, { tag: 'two' }]);
    await database.execute(`UPDATE outbox SET delivered_at = now() - interval '11 minutes'`);
    const again: string[] = [];
    expect(await outbox.relay(1, (events) => Promise.resolve(void again.push(...events.map((event) => event.id))))).toBe(1);
    await outbox.markHandled(again);
    await database.execute(`UPDATE outbox SET delivered_at = now() - interval '11 minutes'`);
    expect(await outbox.relay(10, deliver)).toBe(1);
    expect(delivered.slice(2)).toEqual([{ tag: 'two' }]);
    expect(await outbox.lagSeconds()).toBe(0);
  });

  test('keeps with an event who caused it, and tells whoever watches that there was one', async () => {
    const { database } = fixture;
    const origin: Origin = { name: `a\0b\uD800${'x'.repeat(300)}`, address: '192.0.2.7', requestId: 'r1' };
    const other: Origin = { name: 'robot$ci', address: '192.0.2.8', requestId: 'r2' };
    await withOrigin(origin, () => database.transaction((transaction) => appendEvents(transaction, [
      { type: 'tag.created', payload: {}, actor: 'user:1' },
      { type: 'artifact.pulled', payload: {}, actor: 'robot:2', origin: other },
    ])));
    await database.transaction((transaction) => appendEvents(transaction, [{ type: 'tag.moved', payload: {}, actor: '' }]));
    const told: object[] = [];
    await new Outbox(database).relay(10, (events) => Promise.resolve(void told.push(...events.map((event) => event.origin))));
    expect(told.slice(-3)).toEqual([{ name: `a\uFFFDb\uFFFD${'x'.repeat(251)}`, address: '192.0.2.7', requestId: 'r1' }, other, {}]);
    expect([...(origin.told ?? [])]).toEqual(['tag.created', 'artifact.pulled']);
  });

  test('two relays never deliver the same event at the same time', async () => {
    const { database } = fixture;
    const outbox = new Outbox(database);
    const events = Array.from({ length: 40 }, (_, index) => ({ type: 'tag.created', payload: { tag: `t${index}` }, actor: '' }));
    await database.transaction((transaction) => appendEvents(transaction, events));
    const seen: string[] = [];
    const relay = (): Promise<number> => outbox.relay(20, async (batch) => {
      seen.push(...batch.map((event) => event.id));
      await new Promise((resolve) => setTimeout(resolve, 50));
    });
    const counts = await Promise.all([relay(), relay()]);
    expect(counts).toEqual([20, 20]);
    expect(new Set(seen).size).toBe(40);
  });
});
