import { Injectable } from '@nestjs/common';
import { Database } from '@haven/database';

/** An account as logging in needs it. */
export interface Account {
  readonly id: number;
  readonly username: string;
  /** Made so here, or by the system that keeps the account. */
  readonly sysadmin: boolean;
  /** Who keeps the account: "local", "ldap", "oidc", "http". */
  readonly source: string;
  /** Whether the system that keeps the account let it in when it was last asked; never of accounts kept here. */
  readonly confirmed: boolean;
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
  readonly source: string;
  readonly confirmed: boolean;
  readonly password_hash: string | null;
  readonly last_withdrawal: number;
  readonly login_is_news: boolean;
}

/** last_login_at is noted to the hour, so that a client with Basic authentication does not write for every request. */
const LOGIN_IS_NEWS = `(last_login_at IS NULL OR last_login_at < now() - interval '1 hour')`;
const SELECT = `SELECT u.id, u.username, u.sysadmin OR u.source_admin AS sysadmin, u.source, u.source_confirmed_at IS NOT NULL AS confirmed, u.password_hash,
    coalesce(extract(epoch FROM e.not_before), 0)::float8 AS last_withdrawal, ${LOGIN_IS_NEWS} AS login_is_news
  FROM haven_user u LEFT JOIN access_epoch e ON e.subject = 'user:' || u.id
  WHERE u.deleted_at IS NULL AND`;

@Injectable()
export class IdentityStore {
  constructor(private readonly database: Database) {}

  findAccount(username: string): Promise<Account | undefined> {
    return this.#find('u.username = $1', username);
  }

  findById(id: number): Promise<Account | undefined> {
    return this.#find('u.id = $1', id);
  }

  async noteLogin(id: number): Promise<void> {
    await this.database.execute(`UPDATE haven_user SET last_login_at = now() WHERE id = $1 AND ${LOGIN_IS_NEWS}`, [id]);
  }

  async #find(condition: string, value: string | number): Promise<Account | undefined> {
    const [row] = await this.database.query<Row>(`${SELECT} ${condition}`, [value]);
    return row && accountOf(row);
  }
}

function accountOf(row: Row): Account {
  return {
    id: row.id, username: row.username, sysadmin: row.sysadmin, source: row.source, confirmed: row.confirmed, passwordHash: row.password_hash ?? undefined, lastWithdrawal: row.last_withdrawal,
    loginIsNews: row.login_is_news,
  };
}
