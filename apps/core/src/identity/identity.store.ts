import { Injectable } from '@nestjs/common';
import { Database } from '@haven/database';

/** An account as logging in needs it. */
export interface Account {
  readonly id: number;
  readonly username: string;
  readonly sysadmin: boolean;
  /** Missing for accounts whose password is kept elsewhere. */
  readonly passwordHash: string | undefined;
}

@Injectable()
export class IdentityStore {
  constructor(private readonly database: Database) {}

  async findAccount(username: string): Promise<Account | undefined> {
    const [row] = await this.database.query<{ id: number; username: string; sysadmin: boolean; password_hash: string | null }>(
      'SELECT id, username, sysadmin, password_hash FROM haven_user WHERE username = $1 AND deleted_at IS NULL',
      [username],
    );
    return row && { id: row.id, username: row.username, sysadmin: row.sysadmin, passwordHash: row.password_hash ?? undefined };
  }
}
