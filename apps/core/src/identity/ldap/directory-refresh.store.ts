import { Injectable } from '@nestjs/common';
import { Database } from '@haven/database';

export interface RefreshedAccount {
  readonly id: number;
  readonly externalId: string;
  readonly place: string | undefined;
}

/** Somebody who may have a session or a token: $2 is how many minutes ago the last token may have been made. last_login_at is an hour off at most. */
const ACTIVE = `u.source = 'ldap' AND u.deleted_at IS NULL AND u.source_confirmed_at IS NOT NULL
  AND (u.last_login_at > now() - make_interval(mins => $2 + 60) OR u.source_confirmed_at > now() - make_interval(mins => $2 + 60)
    OR EXISTS (SELECT 1 FROM session s WHERE s.user_id = u.id AND s.expires_at > now()))`;

@Injectable()
export class DirectoryRefreshStore {
  constructor(private readonly database: Database) {}

  /** Accounts in use that the directory was not asked about for so many minutes. No other replica gets them as well. */
  async claim(minutes: number, tokenMinutes: number, most: number): Promise<RefreshedAccount[]> {
    const rows = await this.database.query<{ id: number; external_id: string; source_place: string | null }>(
      `UPDATE haven_user SET source_checked_at = now() WHERE id IN (
         SELECT u.id FROM haven_user u WHERE ${ACTIVE} AND greatest(u.source_confirmed_at, u.source_checked_at) < now() - make_interval(mins => $1)
         ORDER BY u.source_confirmed_at LIMIT $3 FOR UPDATE SKIP LOCKED)
       RETURNING id, external_id, source_place`,
      [minutes, tokenMinutes, most],
    );
    return rows.map((row) => ({ id: row.id, externalId: row.external_id, place: row.source_place ?? undefined }));
  }

  /** Accounts in use that the directory has not confirmed for so many minutes. */
  async unconfirmed(minutes: number, tokenMinutes: number): Promise<number[]> {
    const rows = await this.database.query<{ id: number }>(
      `SELECT u.id FROM haven_user u WHERE ${ACTIVE} AND u.source_confirmed_at < now() - make_interval(mins => $1) ORDER BY u.id LIMIT 1000`,
      [minutes, tokenMinutes],
    );
    return rows.map(({ id }) => id);
  }
}
