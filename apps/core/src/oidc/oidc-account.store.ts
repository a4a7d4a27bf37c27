import { Injectable } from '@nestjs/common';
import { Database, type Queryable } from '@haven/database';

/** What is kept of an account of the provider's. */
export interface OidcAccount {
  readonly userId: number;
  readonly username: string;
  /** The pair that tells people apart. */
  readonly issuer: string;
  readonly subject: string;
  /** Sealed; undefined when the provider gave none. */
  readonly refreshToken: string | undefined;
  readonly groups: readonly string[];
  /** Seconds since the provider last vouched for the account; undefined once it did so no longer. */
  readonly confirmedAge: number | undefined;
}

/** The CLI secret of an account, as it is kept. */
export interface KeptCliSecret {
  /** Sealed; undefined when there is none. */
  readonly sealed: string | undefined;
  readonly expired: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** Both as externalIdOf writes them. */
  readonly externalId: string;
}

interface Row {
  readonly user_id: number;
  readonly username: string;
  readonly external_id: string;
  readonly refresh_token: string | null;
  readonly groups: readonly string[];
  readonly confirmed_age: number | null;
}

interface SecretRow {
  readonly cli_secret: string | null;
  readonly expired: boolean;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly external_id: string;
}

const SELECT = `SELECT u.id AS user_id, u.username, u.external_id, o.refresh_token, coalesce(o.groups, '{}') AS groups,
    extract(epoch FROM now() - u.source_confirmed_at)::float8 AS confirmed_age
  FROM haven_user u LEFT JOIN oidc_account o ON o.user_id = u.id WHERE u.source = 'oidc' AND u.deleted_at IS NULL`;

@Injectable()
export class OidcAccountStore {
  constructor(private readonly database: Database) {}

  /** The account with this identity. */
  async findIdentity(issuer: string, subject: string): Promise<OidcAccount | undefined> {
    const [row] = await this.database.query<Row>(`${SELECT} AND u.external_id = $1`, [externalIdOf(issuer, subject)]);
    return row && accountOf(row);
  }

  async find(userId: number): Promise<OidcAccount | undefined> {
    const [row] = await this.database.query<Row>(`${SELECT} AND u.id = $1`, [userId]);
    return row && accountOf(row);
  }

  /** Accounts with a browser logged in that the provider was not asked about for so many seconds, the longest first. */
  async dueForRefresh(seconds: number, limit: number): Promise<OidcAccount[]> {
    const rows = await this.database.query<Row>(
      `${SELECT} AND o.refresh_token IS NOT NULL AND u.source_confirmed_at < now() - make_interval(secs => $1) AND (o.asking_until IS NULL OR o.asking_until < now())
         AND EXISTS (SELECT 1 FROM session s WHERE s.user_id = u.id AND s.expires_at > now())
       ORDER BY u.source_confirmed_at LIMIT $2`,
      [seconds, limit],
    );
    return rows.map(accountOf);
  }

  /** Keeps what a login or a refresh brought; a provider that sends no new refresh token lets the old one stand. */
  async keep(userId: number, refreshToken: string | undefined, groups: readonly string[]): Promise<void> {
    await this.database.execute(
      `INSERT INTO oidc_account (user_id, refresh_token, groups) VALUES ($1, $2, $3)
       ON CONFLICT (user_id) DO UPDATE SET refresh_token = coalesce(excluded.refresh_token, oidc_account.refresh_token), groups = excluded.groups, asking_until = NULL, updated_at = now()`,
      [userId, refreshToken ?? null, groups],
    );
  }

  /**
   * Whether this process may use the account's refresh token now; nobody else may for so many seconds. Not when another one
   * was kept since the account was read: the provider takes a token that was used before for a stolen one.
   */
  async claim({ userId, refreshToken }: OidcAccount, seconds: number): Promise<boolean> {
    const claimed = await this.database.execute(
      `UPDATE oidc_account SET asking_until = now() + make_interval(secs => $2) WHERE user_id = $1 AND refresh_token = $3 AND (asking_until IS NULL OR asking_until < now())`,
      [userId, seconds, refreshToken],
    );
    return claimed === 1;
  }

  async confirm(userId: number): Promise<void> {
    await this.database.execute('UPDATE haven_user SET source_confirmed_at = now() WHERE id = $1 AND source_confirmed_at IS NOT NULL', [userId]);
  }

  /** Forgets a refresh token that the provider does not take any more. */
  async dropRefreshToken(userId: number): Promise<void> {
    await this.database.execute('UPDATE oidc_account SET refresh_token = NULL, asking_until = NULL, updated_at = now() WHERE user_id = $1', [userId]);
  }

  async cliSecret(userId: number): Promise<KeptCliSecret | undefined> {
    const [row] = await this.database.query<SecretRow>(
      `SELECT cli_secret, coalesce(cli_secret_expires_at <= now(), false) AS expired, created_at, updated_at, external_id
       FROM haven_user WHERE id = $1 AND source = 'oidc' AND deleted_at IS NULL`,
      [userId],
    );
    return row && { sealed: row.cli_secret ?? undefined, expired: row.expired, createdAt: row.created_at, updatedAt: row.updated_at, externalId: row.external_id };
  }
}

/** Stores a sealed CLI secret that ends after so many days; 0: never. */
export async function storeCliSecret(queryable: Queryable, userId: number, sealed: string, days: number): Promise<void> {
  await queryable.execute(
    `UPDATE haven_user SET cli_secret = $2, cli_secret_expires_at = CASE WHEN $3 = 0 THEN NULL ELSE now() + make_interval(days => $3) END, updated_at = now() WHERE id = $1`,
    [userId, sealed, days],
  );
}

/** Issuer and subject as one text that no other pair has: neither alone, nor both strung together, tells people apart. */
export function externalIdOf(issuer: string, subject: string): string {
  return JSON.stringify([issuer, subject]);
}

/** What externalIdOf made one text of. */
export function identityOf(externalId: string): { readonly issuer: string; readonly subject: string } {
  const [issuer, subject] = JSON.parse(externalId) as [string, string];
  return { issuer, subject };
}

function accountOf(row: Row): OidcAccount {
  return {
    userId: row.user_id, username: row.username, ...identityOf(row.external_id), refreshToken: row.refresh_token ?? undefined, groups: row.groups,
    confirmedAge: row.confirmed_age ?? undefined,
  };
}
