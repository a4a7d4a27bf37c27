import { Injectable } from '@nestjs/common';
import { Database } from '@haven/database';

/** What no two accounts may share. */
export interface AccountName {
  readonly target: 'username' | 'email';
  readonly value: string;
}

const CONDITIONS = { username: 'username = $1', email: 'lower(email) = lower($1)' } as const;

@Injectable()
export class RegistrationStore {
  constructor(private readonly database: Database) {}

  async isTaken({ target, value }: AccountName): Promise<boolean> {
    const rows = await this.database.query(`SELECT 1 FROM haven_user WHERE ${CONDITIONS[target]} AND deleted_at IS NULL`, [value]);
    return rows.length > 0;
  }
}
