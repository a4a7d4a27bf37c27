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
import { lockUser, updatePassword, UserStore, type UserRow } from './user.store.js';

/** Changing passwords. Registry tokens made with the old one are taken back. */
@Injectable()
export class PasswordChangeService {
  constructor(
    private readonly store: UserStore,
    private readonly passwords: PasswordService,
    private readonly throttle: LoginThrottle,
    private readonly database: Database,
    private readonly broadcasts: Broadcasts,
  ) {}

  /** One's own password needs the old one; system administrators set those of others. */
  async change(caller: Caller, id: number, request: PasswordReq, address: string): Promise<void> {
    const user = await this.store.find(id);
    if (user === undefined) throw new Problem('NOT_FOUND', 'there is no such user');
    if (user.passwordHash === undefined) throw new Problem('PRECONDITION', 'the password of this account is kept elsewhere; change it there');
    requireGoodPassword(request.new_password);
    const own = caller.subject.kind === 'user' && caller.subject.id === id;
    if (own) await this.#requireOldPassword(user, request, address);
    const passwordHash = await this.passwords.hash(request.new_password, address);
    await this.database.transaction(async (transaction) => {
      const current = await lockUser(transaction, id);
      if (current?.passwordHash !== user.passwordHash) throw new Problem('CONFLICT', 'the password was changed by somebody else just now');
      await updatePassword(transaction, id, passwordHash);
      await withdrawTokens(transaction, [`user:${id}`]);
      await appendEvents(transaction, [{ type: 'user.changed', payload: { user: id, name: user.username }, actor: subjectId(caller.subject) }]);
      const description = `update user with name: ${user.username}, change user password`;
      await recordAudit(transaction, caller, { operation: 'update', resourceType: 'user', resource: user.username, description });
    });
    this.broadcasts.publish('access-changed', {});
  }

  async #requireOldPassword(user: UserRow, { old_password: old = '', new_password: next }: PasswordReq, address: string): Promise<void> {
    const attempt = { username: user.username, address, notTooOften: () => this.throttle.requireNoWait(user.username, address) };
    await attempt.notTooOften();
    if (!(await this.passwords.matches(user, old, attempt))) {
      await this.throttle.failed(user.username, address);
      throw new Problem('FORBIDDEN', 'old_password is wrong');
    }
    if (old === next) throw new Problem('BAD_REQUEST', 'the new password is the old one; choose another');
  }
}
