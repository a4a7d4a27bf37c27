import { Injectable } from '@nestjs/common';
import { Database, type Queryable, type Transaction } from '@haven/database';

/** A login that is going on. */
export interface Session {
  /** SHA-256 of the id in the cookie; the id itself is not kept anywhere. */
  readonly idHash: Buffer;
  readonly userId: number;
  readonly username: string;
  readonly sysadmin: boolean;
  readonly csrfSecret: Buffer;
}

/** A session as its owner sees it. */
export interface ListedSession {
  readonly idHash: Buffer;
  readonly address: string;
  readonly userAgent: string;
  readonly createdAt: Date;
  readonly usedAt: Date;
  readonly expiresAt: Date;
}

export interface NewSession {
  readonly idHash: Buffer;
  readonly userId: number;
  readonly csrfSecret: Buffer;
  readonly address: string;
  readonly userAgent: string;
  /** Seconds from now until it ends, however much it is used. */
  readonly seconds: number;
}

interface Row {
  readonly user_id: number;
  readonly username: string;
  readonly sysadmin: boolean;
  readonly csrf_secret: Buffer;
  readonly stale: boolean;
}

interface ListRow {
  readonly id_hash: Buffer;
  readonly address: string;
  readonly user_agent: string;
  readonly created_at: Date;
  readonly used_at: Date;
  readonly expires_at: Date;
}

/** Sessions of one account at most; a script that logs in each time keeps its newest. */
const MOST_SESSIONS = 100;
const ALIVE = 'expires_at > now() AND used_at > now() - make_interval(secs => $2)';

/**
 * What a directory keeps lives only while the directory vouches for it: when it has not been heard of for an hour,
 * nothing that it said goes on. Single sign-on ends its sessions itself.
 */
const VOUCHED_FOR = `(u.source <> 'ldap' OR u.source_confirmed_at > now() - interval '1 hour')`;

@Injectable()
export class SessionStore {
  constructor(private readonly database: Database) {}

  /**
   * The session with this id and the account it belongs to, when neither has ended. `stale` when its last use was noted
   * `noteSeconds` ago or more.
   */
  async find(idHash: Buffer, idleSeconds: number, noteSeconds: number): Promise<(Session & { readonly stale: boolean }) | undefined> {
    const [row] = await this.database.query<Row>(
      `SELECT s.user_id, s.csrf_secret, s.used_at <= now() - make_interval(secs => $3) AS stale, u.username, u.sysadmin OR u.source_admin AS sysadmin
       FROM session s JOIN haven_user u ON u.id = s.user_id AND u.deleted_at IS NULL
       WHERE s.id_hash = $1 AND s.expires_at > now() AND s.used_at > now() - make_interval(secs => $2) AND ${VOUCHED_FOR}`,
      [idHash, idleSeconds, noteSeconds],
    );
    return row && { idHash, userId: row.user_id, username: row.username, sysadmin: row.sysadmin, csrfSecret: row.csrf_secret, stale: row.stale };
  }

  async noteUse(idHash: Buffer): Promise<void> {
    await this.database.execute('UPDATE session SET used_at = now() WHERE id_hash = $1', [idHash]);
  }

  /** The account's sessions that have not ended, the last used first. */
  async list(userId: number, idleSeconds: number): Promise<ListedSession[]> {
    const rows = await this.database.query<ListRow>(
      `SELECT id_hash, address, user_agent, created_at, used_at, expires_at FROM session WHERE user_id = $1 AND ${ALIVE}
       ORDER BY used_at DESC, id_hash LIMIT ${MOST_SESSIONS}`,
      [userId, idleSeconds],
    );
    return rows.map((row) => ({
      idHash: row.id_hash, address: row.address, userAgent: row.user_agent, createdAt: row.created_at, usedAt: row.used_at, expiresAt: row.expires_at,
    }));
  }
}

/**
 * Notes a login, if the account still is the one that was logged in to: it is there and its password is the one that was
 * right. Locks the account, so that a change of its password comes before or after.
 */
export async function noteSignIn(transaction: Transaction, userId: number, passwordHash: string | undefined): Promise<boolean> {
  const noted = await transaction.execute(
    'UPDATE haven_user SET last_login_at = now() WHERE id = $1 AND deleted_at IS NULL AND password_hash IS NOT DISTINCT FROM $2',
    [userId, passwordHash ?? null],
  );
  return noted === 1;
}

export async function insertSession(transaction: Transaction, session: NewSession): Promise<void> {
  await transaction.execute(
    `INSERT INTO session (id_hash, user_id, csrf_secret, address, user_agent, expires_at)
     VALUES ($1, $2, $3, $4, $5, now() + make_interval(secs => $6))`,
    [session.idHash, session.userId, session.csrfSecret, session.address, session.userAgent, session.seconds],
  );
}

/** The session with a new id and secret; nothing else about it changes. */
export async function replaceSession(transaction: Transaction, idHash: Buffer, next: Pick<NewSession, 'idHash' | 'csrfSecret'>): Promise<boolean> {
  const replaced = await transaction.execute('UPDATE session SET id_hash = $2, csrf_secret = $3 WHERE id_hash = $1', [idHash, next.idHash, next.csrfSecret]);
  return replaced === 1;
}

/** Resolves to whether it was still there. */
export async function endSession(queryable: Queryable, idHash: Buffer): Promise<boolean> {
  return (await queryable.execute('DELETE FROM session WHERE id_hash = $1', [idHash])) === 1;
}

/** Ends all sessions of an account, except `kept`; resolves to how many. */
export async function endSessionsOf(queryable: Queryable, userId: number, kept?: Buffer): Promise<number> {
  return queryable.execute('DELETE FROM session WHERE user_id = $1 AND id_hash IS DISTINCT FROM $2', [userId, kept ?? null]);
}

/** Ends the session of an account whose id's hash begins with this, in hexadecimal. */
export async function endSessionNamed(queryable: Queryable, userId: number, name: string): Promise<boolean> {
  return (await queryable.execute(`DELETE FROM session WHERE user_id = $1 AND left(encode(id_hash, 'hex'), $3) = $2`, [userId, name, name.length])) > 0;
}

/** Removes what an account has beyond the newest ones, and some of everybody's that have ended. */
export async function sweepSessions(transaction: Transaction, userId: number): Promise<void> {
  await transaction.execute(
    `DELETE FROM session WHERE id_hash IN (SELECT id_hash FROM session WHERE user_id = $1 ORDER BY used_at DESC, id_hash OFFSET ${MOST_SESSIONS - 1})`,
    [userId],
  );
  await transaction.execute(
    `DELETE FROM session WHERE id_hash IN (SELECT id_hash FROM session WHERE expires_at <= now() ORDER BY expires_at LIMIT 100 FOR UPDATE SKIP LOCKED)`,
  );
}
