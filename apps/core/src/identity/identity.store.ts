import { Injectable } from '@nestjs/common';
import { Database } from '@haven/database';

/** An account as logging in needs it. */
export interface Account {
  readonly id: number;
  readonly username: string;
  readonly sysadmin: boolean;
  /** Missing for accounts whose password is kept elsewhere. */
  readonly passwordHash: string | undefined;
  /** Seconds since 1970 of the last withdrawal of the account's tokens that this reading has seen; 0 when there was none. */
  readonly lastWithdrawal: number;
  /** Whether the login that was noted last is an hour old. */
  readonly loginIsNews: boolean;
}

interface Row {
  readonly id: number;
  readonly username: string;
  readonly sysadmin: boolean;
  readonly password_hash: string | null;
  readonly last_withdrawal: number;
  readonly login_is_news: boolean;
}

/** last_login_at is noted to the hour, so that a client with Basic authentication does not write for every request. */
const LOGIN_IS_NEWS = `(last_login_at IS NULL OR last_login_at < now() - interval '1 hour')`;

@Injectable()
export class IdentityStore {
  constructor(private readonly database: Database) {}

  async findAccount(username: string): Promise<Account | undefined> {
    const [row] = await this.database.query<Row>(
      `SELECT u.id, u.username, u.sysadmin, u.password_hash, coalesce(extract(epoch FROM e.not_before), 0)::float8 AS last_withdrawal,
         ${LOGIN_IS_NEWS} AS login_is_news
       FROM haven_user u LEFT JOIN access_epoch e ON e.subject = 'user:' || u.id
       WHERE u.username = $1 AND u.deleted_at IS NULL`,
      [username],
    );
    return row && accountOf(row);
  }

  async noteLogin(id: number): Promise<void> {
    await this.database.execute(`UPDATE haven_user SET last_login_at = now() WHERE id = $1 AND ${LOGIN_IS_NEWS}`, [id]);
  }
}

function accountOf(row: Row): Account {
  return {
    id: row.id, username: row.username, sysadmin: row.sysadmin, passwordHash: row.password_hash ?? undefined, lastWithdrawal: row.last_withdrawal,
    loginIsNews: row.login_is_news,
  };
}
