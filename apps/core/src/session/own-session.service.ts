import { Injectable } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { Problem, type OwnSession } from '@haven/api';
import { Database, type Transaction } from '@haven/database';
import { recordAudit, recordNoChange } from '../audit/record-audit.js';
import { SessionService } from './session.service.js';
import { endSessionNamed, endSessionsOf, type ListedSession, type Session } from './session.store.js';

interface User {
  readonly id: number;
  readonly name: string;
}

/** Hexadecimal digits of an id's hash that name a session to its owner. Nobody gets from them to the id. */
const NAME_LENGTH = 32;

/** Lets people see where they are logged in, and end that. */
@Injectable()
export class OwnSessionService {
  constructor(
    private readonly sessions: SessionService,
    private readonly database: Database,
  ) {}

  async list(user: User, current: Session | undefined): Promise<OwnSession[]> {
    return (await this.sessions.list(user.id)).map((session) => shown(session, current));
  }

  async end(caller: Caller, user: User, name: string): Promise<void> {
    await this.database.transaction(async (transaction) => {
      const ended = await endSessionNamed(transaction, user.id, name);
      if (!ended) throw new Problem('NOT_FOUND', 'you have no such session; it may have ended already');
      await record(transaction, caller, user, 'log out one session');
    });
  }

  async endOthers(caller: Caller, user: User, current: Session | undefined): Promise<void> {
    await this.database.transaction(async (transaction) => {
      const ended = await endSessionsOf(transaction, user.id, current?.idHash);
      if (ended === 0) recordNoChange();
      else await record(transaction, caller, user, `log out ${ended} other sessions`);
    });
  }
}

function shown(session: ListedSession, current: Session | undefined): OwnSession {
  return {
    id: session.idHash.toString('hex').slice(0, NAME_LENGTH),
    current: current?.idHash.equals(session.idHash) === true,
    address: session.address,
    user_agent: session.userAgent,
    creation_time: session.createdAt.toISOString(),
    last_used_time: session.usedAt.toISOString(),
    expiration_time: session.expiresAt.toISOString(),
  };
}

async function record(transaction: Transaction, caller: Caller, { name }: User, description: string): Promise<void> {
  await recordAudit(transaction, caller, { operation: 'logout', resourceType: 'user', resource: name, description });
}
