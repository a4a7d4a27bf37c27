import { Injectable } from '@nestjs/common';
import { appendEvents, Database, type Transaction } from '@haven/database';

/** Held during the first start, so that of several replicas one makes the administrator. An arbitrary constant. */
const FIRST_START_LOCK = 4_273_003;
const ADMIN_ID = 1;

@Injectable()
export class FirstStartStore {
  constructor(private readonly database: Database) {}

  async hasAccounts(): Promise<boolean> {
    const rows = await this.database.query('SELECT 1 FROM haven_user LIMIT 1');
    return rows.length > 0;
  }

  /**
   * Makes user 1 `admin` and project 1 `library`, unless somebody was faster. `beforeCommit` runs when that is certain
   * but not yet done. Resolves to whether it was done here.
   */
  async createAdmin(passwordHash: string, beforeCommit: () => Promise<void>): Promise<boolean> {
    return this.database.transaction(async (transaction) => {
      await transaction.query('SELECT pg_advisory_xact_lock($1)', [FIRST_START_LOCK]);
      const rows = await transaction.query('SELECT 1 FROM haven_user LIMIT 1');
      if (rows.length > 0) return false;
      await insertAdmin(transaction, passwordHash);
      await insertLibrary(transaction);
      await beforeCommit();
      return true;
    });
  }
}

async function insertAdmin(transaction: Transaction, passwordHash: string): Promise<void> {
  await transaction.execute(
    `INSERT INTO haven_user (id, external_id, username, email, realname, comment, password_hash, sysadmin)
     VALUES ($1, 'admin', 'admin', NULL, 'system admin', 'admin user', $2, true)`,
    [ADMIN_ID, passwordHash],
  );
  await transaction.query(`SELECT setval(pg_get_serial_sequence('haven_user', 'id'), $1)`, [ADMIN_ID]);
}

async function insertLibrary(transaction: Transaction): Promise<void> {
  const [project] = await transaction.query<{ id: number }>(
    `INSERT INTO project (name, public, owner_id, metadata) VALUES ('library', true, $1, '{}') RETURNING id`,
    [ADMIN_ID],
  );
  if (project === undefined) throw new Error('the project library was not made');
  await transaction.execute('INSERT INTO member (project_id, user_id, role) VALUES ($1, $2, 1)', [project.id, ADMIN_ID]);
  await appendEvents(transaction, [
    { type: 'user.created', payload: { user: ADMIN_ID, name: 'admin' }, actor: '' },
    { type: 'project.created', payload: { project: project.id, name: 'library' }, actor: '' },
  ]);
}
