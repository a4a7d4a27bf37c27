import { createHash, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Problem } from '@haven/api';
import { Database, type Transaction } from '@haven/database';
import { recordAudit } from '../audit/record-audit.js';
import { ConfigurationService } from '../configuration/configuration.service.js';
import type { Account } from '../identity/identity.store.js';
import { newCsrfSecret } from './csrf-token.js';
import { sessionTimes, type SessionTimes } from './session-times.js';
import { endSession, endSessionsOf, insertSession, noteSignIn, replaceSession, SessionStore, sweepSessions, type ListedSession, type Session } from './session.store.js';

/** A session that has just begun: the only moment in which its id is known here. */
export interface OpenedSession {
  /** For the cookie. */
  readonly id: string;
  readonly csrfSecret: Buffer;
}

/** Where a login comes from, as its owner will be shown. */
export interface Device {
  readonly address: string;
  readonly userAgent: string;
}

const ID = /^[A-Za-z0-9_-]{43}$/;
const LONGEST_USER_AGENT = 255;

/** Logins of browsers. Kept in Postgres: ending one is a row that is gone, on every replica at once. */
@Injectable()
export class SessionService {
  constructor(
    private readonly store: SessionStore,
    private readonly database: Database,
    private readonly configuration: ConfigurationService,
  ) {}

  /**
   * The session that a cookie names; undefined when it has ended or never was.
   *
   * @param renew whether this counts as using it
   */
  async find(id: string | undefined, renew: boolean): Promise<Session | undefined> {
    if (id === undefined || !ID.test(id)) return undefined;
    const { idle, note } = await this.#times();
    const found = await this.store.find(hashOf(id), idle, note);
    if (found === undefined) return undefined;
    const { stale, ...session } = found;
    if (stale && renew) await this.store.noteUse(session.idHash);
    return session;
  }

  /** Begins a session for an account that has just proved who it is; `before` is the browser's session until now, which ends. */
  async open(account: Account, device: Device, before: Session | undefined): Promise<OpenedSession> {
    const opened = newSession();
    const { whole } = await this.#times();
    await this.database.transaction(async (transaction) => {
      const known = await noteSignIn(transaction, account.id, account.passwordHash);
      if (!known) throw new Problem('UNAUTHORIZED', 'the account was changed just now; log in again');
      if (before !== undefined) await endSession(transaction, before.idHash);
      await sweepSessions(transaction, account.id);
      await insertSession(transaction, {
        idHash: hashOf(opened.id), userId: account.id, csrfSecret: opened.csrfSecret, address: device.address, userAgent: device.userAgent.slice(0, LONGEST_USER_AGENT), seconds: whole,
      });
      await record(transaction, account.id, account, 'login');
    });
    return opened;
  }

  /** Ends a session: the user logs out. */
  async close(session: Session): Promise<void> {
    await this.database.transaction(async (transaction) => {
      const ended = await endSession(transaction, session.idHash);
      if (ended) await record(transaction, session.userId, session, 'logout');
    });
  }

  /**
   * For a transaction that changes an account's password: ends the account's sessions, except the one in which that
   * happens, which goes on under a new id. Resolves to that.
   */
  async restart(transaction: Transaction, userId: number, current: Session | undefined): Promise<OpenedSession | undefined> {
    const kept = current?.userId === userId ? current.idHash : undefined;
    await endSessionsOf(transaction, userId, kept);
    if (kept === undefined) return undefined;
    const opened = newSession();
    const replaced = await replaceSession(transaction, kept, { idHash: hashOf(opened.id), csrfSecret: opened.csrfSecret });
    return replaced ? opened : undefined;
  }

  async list(userId: number): Promise<ListedSession[]> {
    return this.store.list(userId, (await this.#times()).idle);
  }

  async #times(): Promise<SessionTimes> {
    return sessionTimes((await this.configuration.current()).session_timeout);
  }
}

function newSession(): OpenedSession {
  return { id: randomBytes(32).toString('base64url'), csrfSecret: newCsrfSecret() };
}

/** The id has 256 random bits, so nobody finds it from a plain hash. */
function hashOf(id: string): Buffer {
  return createHash('sha256').update(id).digest();
}

async function record(transaction: Transaction, id: number, { username, sysadmin }: { readonly username: string; readonly sysadmin: boolean }, operation: 'login' | 'logout'): Promise<void> {
  const caller = { subject: { kind: 'user', id, name: username, sysadmin } } as const;
  await recordAudit(transaction, caller, { operation, resourceType: 'user', resource: username, description: operation === 'login' ? 'log in' : 'log out' });
}
