import { Injectable } from '@nestjs/common';
import { subjectId, type Caller } from '@haven/access';
import { Problem, type PasswordReq } from '@haven/api';
import { appendEvents, Database } from '@haven/database';
import { Broadcasts } from '@haven/messages';
import { recordAudit } from '../audit/record-audit.js';
import { withdrawTokens } from '../authorization/access-epoch.store.js';
import { LoginThrottle } from '../identity/login-throttle.js';
import { requireGoodPassword } from '../identity/password-rules.js';
import { PasswordService } from '../identity/password.service.js';
import { SessionService, type OpenedSession } from '../session/session.service.js';
import type { Session } from '../session/session.store.js';
import { AccountRulesService } from './account-rules.service.js';
import { lockUser, updatePassword, UserStore, type UserRow } from './user.store.js';

/** Where a change of a password is asked for. */
export interface ChangeOrigin {
  readonly address: string;
  /** The browser's session, when it is asked for in one. */
  readonly session: Session | undefined;
}

/** Changing passwords. Registry tokens and sessions made with the old one are taken back. */
@Injectable()
export class PasswordChangeService {
  constructor(
    private readonly store: UserStore,
    private readonly rules: AccountRulesService,
    private readonly passwords: PasswordService,
    private readonly throttle: LoginThrottle,
    private readonly sessions: SessionService,
    private readonly database: Database,
    private readonly broadcasts: Broadcasts,
  ) {}

  /**
   * One's own password needs the old one; system administrators set those of others. The session in which one changes
   * one's own goes on: resolves to its new form.
   */
  async change(caller: Caller, id: number, request: PasswordReq, { address, session }: ChangeOrigin): Promise<OpenedSession | undefined> {
    await this.rules.requireKeptHere(id);
    const user = await this.store.find(id);
    if (user === undefined) throw new Problem('NOT_FOUND', 'there is no such user');
    if (user.passwordHash === undefined) throw new Problem('PRECONDITION', 'the password of this account is kept elsewhere; change it there');
    requireGoodPassword(request.new_password);
    const own = caller.subject.kind === 'user' && caller.subject.id === id;
    if (own) await this.#requireOldPassword(user, request, address);
    const passwordHash = await this.passwords.hash(request.new_password, address);
    const restarted = await this.database.transaction(async (transaction) => {
      const current = await lockUser(transaction, id);
      if (current?.passwordHash !== user.passwordHash) throw new Problem('CONFLICT', 'the password was changed by somebody else just now');
      await updatePassword(transaction, id, passwordHash);
      await withdrawTokens(transaction, [`user:${id}`]);
      await appendEvents(transaction, [{ type: 'user.changed', payload: { user: id, name: user.username }, actor: subjectId(caller.subject) }]);
      const description = `update user with name: ${user.username}, change user password`;
      await recordAudit(transaction, caller, { operation: 'update', resourceType: 'user', resource: user.username, description });
      return this.sessions.restart(transaction, id, session);
    });
    this.broadcasts.publish('access-changed', {});
    return restarted;
  }

  async #requireOldPassword(user: UserRow, { old_password: oldPassword, new_password: next }: PasswordReq, address: string): Promise<void> {
    const old = oldPassword ?? '';
    const attempt = { username: user.username, address, notTooOften: () => this.throttle.requireNoWait(user.username, address) };
    await attempt.notTooOften();
    if (!(await this.passwords.matches(user, old, attempt))) {
      await this.throttle.failed(user.username, address);
      throw new Problem('FORBIDDEN', 'old_password is wrong');
    }
    if (old === next) throw new Problem('BAD_REQUEST', 'the new password is the old one; choose another');
  }
}
