import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Blobs of which storage has no bytes, or other ones: the catalog keeps what it knows of them until they are pushed again. */
export class LostBlobs1763700000013 implements MigrationInterface {
  readonly name = 'LostBlobs1763700000013';

  async up(runner: QueryRunner): Promise<void> {
    // Each allows more than the one that it replaces, so what is there need not be read: NOT VALID makes it a matter of moments.
    await check(runner, 'blob', 'state', ['present', 'deleting', 'lost'], 'NOT VALID');
    await check(runner, 'storage_finding', 'kind', ['orphan', 'missing', 'wrong-size', 'corrupted', 'returned', 'stale-upload', 'stale-commit'], 'NOT VALID');
    await check(runner, 'storage_finding', 'outcome', ['', 'handed-over', 'removed', 'kept', 'marked', 'restored'], 'NOT VALID');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`UPDATE blob SET state = 'present' WHERE state = 'lost'`);
    await runner.query(`DELETE FROM storage_finding WHERE kind = 'returned'`);
    await runner.query(`UPDATE storage_finding SET outcome = '' WHERE outcome IN ('marked', 'restored')`);
    await check(runner, 'blob', 'state', ['present', 'deleting']);
    await check(runner, 'storage_finding', 'kind', ['orphan', 'missing', 'wrong-size', 'corrupted', 'stale-upload', 'stale-commit']);
    await check(runner, 'storage_finding', 'outcome', ['', 'handed-over', 'removed', 'kept']);
  }
}

async function check(runner: QueryRunner, table: string, column: string, words: readonly string[], valid = ''): Promise<void> {
  const name = `${table}_${column}_check`;
  await runner.query(`ALTER TABLE ${table} DROP CONSTRAINT ${name}, ADD CONSTRAINT ${name} CHECK (${column} IN (${words.map((word) => `'${word}'`).join(', ')})) ${valid}`);
}
