export { createDatabase, Database } from './database.js';
export type { DatabaseOptions, Queryable, Transaction } from './database.js';
export { DatabaseUnavailable, databaseFault } from './database-faults.js';
export { currentOrigin, withOrigin, type Origin } from './origin.js';
export { appendEvents, Outbox } from './outbox.js';
export type { NewEvent, OutboxEvent } from './outbox.js';
export { createTestDatabase } from './testing/test-database.js';
export type { TestDatabase } from './testing/test-database.js';
export { lockSettings, readSettings, SettingsTable, writeSettings } from './settings-table.js';
