import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { lockSettings, readSettings, SettingsTable, writeSettings } from './settings-table.js';
import { createTestDatabase, type TestDatabase } from './testing/test-database.js';

let fixture: TestDatabase;
beforeAll(async () => { fixture = await createTestDatabase(); });
afterAll(() => fixture.drop());
beforeEach(() => fixture.database.execute('DELETE FROM setting'));

const write = (values: Readonly<Record<string, unknown>>): Promise<void> => fixture.database.transaction(async (transaction) => {
  await lockSettings(transaction);
  await writeSettings(transaction, values);
});
const colour = (stored: ReadonlyMap<string, unknown>): unknown => stored.get('colour');

test('what is written is read, of every JSON type, and undefined takes it back', async () => {
  await write({ a: true, b: 5_000_000_000, c: 'text', d: { e: ['f'] } });
  expect(await readSettings(fixture.database)).toEqual(new Map<string, unknown>([['a', true], ['b', 5_000_000_000], ['c', 'text'], ['d', { e: ['f'] }]]));
  await write({ a: undefined, b: 6 });
  expect(await readSettings(fixture.database)).toEqual(new Map<string, unknown>([['b', 6], ['c', 'text'], ['d', { e: ['f'] }]]));
});

test('values are kept until they are forgotten', async () => {
  const table = new SettingsTable(fixture.database, colour);
  expect(await table.current()).toBeUndefined();
  await write({ colour: 'red' });
  expect(await table.current()).toBeUndefined();
  table.forget();
  expect(await table.current()).toBe('red');
});

test('values are read again when they are too old', async () => {
  const table = new SettingsTable(fixture.database, colour, { maxAgeMs: 0 });
  await write({ colour: 'red' });
  expect(await table.current()).toBe('red');
  await write({ colour: 'blue' });
  expect(await table.current()).toBe('blue');
});

test('a reading that is under way when settings are forgotten is not kept', async () => {
  let arrived = (): void => undefined;
  let release = (): void => undefined;
  const asked = new Promise<void>((resolve) => { arrived = resolve; });
  const held = new Promise<void>((resolve) => { release = resolve; });
  let first = true;
  const slow = {
    query: async <Row>(sql: string, parameters?: readonly unknown[]): Promise<Row[]> => {
      const rows = await fixture.database.query<Row>(sql, parameters);
      if (first) {
        first = false;
        arrived();
        await held;
      }
      return rows;
    },
    execute: (sql: string, parameters?: readonly unknown[]) => fixture.database.execute(sql, parameters),
  };
  const table = new SettingsTable(slow, colour);
  const early = table.current();
  await asked;
  await write({ colour: 'red' });
  table.forget();
  release();
  expect(await early).toBeUndefined();
  expect(await table.current()).toBe('red');
});

test('those who ask at the same time share one reading', async () => {
  let readings = 0;
  const counted = {
    query: <Row>(sql: string, parameters?: readonly unknown[]): Promise<Row[]> => {
      readings += 1;
      return fixture.database.query<Row>(sql, parameters);
    },
    execute: (sql: string, parameters?: readonly unknown[]) => fixture.database.execute(sql, parameters),
  };
  const table = new SettingsTable(counted, colour);
  await Promise.all([table.current(), table.current(), table.current()]);
  await table.current();
  expect(readings).toBe(1);
});

test('what cannot be read, or means nothing, is an error and never a default; the next question asks again', async () => {
  await write({ colour: 'red' });
  let broken = true;
  const table = new SettingsTable(fixture.database, (stored) => {
    if (broken) throw new Error('the setting colour is not valid');
    return stored.get('colour');
  });
  await expect(table.current()).rejects.toThrow('colour');
  broken = false;
  expect(await table.current()).toBe('red');
});
