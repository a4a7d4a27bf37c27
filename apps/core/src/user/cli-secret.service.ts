import { Injectable } from '@nestjs/common';
import { sealSecret, subjectId, type Caller } from '@haven/access';
import { Problem } from '@haven/api';
import { appendEvents, Database } from '@haven/database';
import { Broadcasts } from '@haven/messages';
import { recordAudit } from '../audit/record-audit.js';
import { withdrawTokens } from '../authorization/access-epoch.store.js';
import { requireGoodPassword } from '../identity/password-rules.js';
import { CoreOptions } from '../platform/core-options.js';
import { AccountRulesService } from './account-rules.service.js';
import { lockUser, updateCliSecret } from './user.store.js';

/** What people who log in to the web through OpenID Connect give docker instead of a password. */
@Injectable()
export class CliSecretService {
  constructor(
    private readonly rules: AccountRulesService,
    private readonly options: CoreOptions,
    private readonly database: Database,
    private readonly broadcasts: Broadcasts,
  ) {}

  /** Sets the secret; tokens made with the old one are taken back. It is kept sealed, for its owner can read it again. */
  async change(caller: Caller, id: number, secret: string): Promise<void> {
    await this.rules.requireOidc();
    requireGoodPassword(secret, 'secret');
    const sealed = sealSecret(this.options.secretKey, secret, cliSecretContext(id));
    await this.database.transaction(async (transaction) => {
      const user = await lockUser(transaction, id);
      if (user === undefined) throw new Problem('NOT_FOUND', 'there is no such user');
      if (user.source !== 'oidc') throw new Problem('PRECONDITION', 'this account does not log in through OpenID Connect; change its password instead');
      await updateCliSecret(transaction, id, sealed);
      await withdrawTokens(transaction, [`user:${id}`]);
      await appendEvents(transaction, [{ type: 'user.changed', payload: { user: id, name: user.username }, actor: subjectId(caller.subject) }]);
      await recordAudit(transaction, caller, { operation: 'update', resourceType: 'user', resource: user.username, description: `update user with name: ${user.username}, change CLI secret` });
    });
    this.broadcasts.publish('access-changed', {});
  }
}

/** What a sealed CLI secret is bound to, so that it opens in its own row only. */
export function cliSecretContext(user: number): string {
  return `cli-secret:${user}`;
}
