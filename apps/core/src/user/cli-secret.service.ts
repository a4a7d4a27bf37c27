import { Injectable } from '@nestjs/common';
import { subjectId, type Caller } from '@haven/access';
import { Problem, type UserResp } from '@haven/api';
import { appendEvents, Database } from '@haven/database';
import { Broadcasts } from '@haven/messages';
import { recordAudit } from '../audit/record-audit.js';
import { withdrawTokens } from '../authorization/access-epoch.store.js';
import { ConfigurationService } from '../configuration/configuration.service.js';
import { requireGoodPassword } from '../identity/password-rules.js';
import { generateCliSecret, openCliSecret, sealCliSecret } from '../oidc/cli-secret.js';
import { identityOf, OidcAccountStore, storeCliSecret } from '../oidc/oidc-account.store.js';
import { CoreOptions } from '../platform/core-options.js';
import { AccountRulesService } from './account-rules.service.js';
import { lockUser } from './user.store.js';

/** What people who log in to the web through OpenID Connect give docker instead of a password. */
@Injectable()
export class CliSecretService {
  constructor(
    private readonly rules: AccountRulesService,
    private readonly accounts: OidcAccountStore,
    private readonly configuration: ConfigurationService,
    private readonly options: CoreOptions,
    private readonly database: Database,
    private readonly broadcasts: Broadcasts,
  ) {}

  /**
   * Sets the secret, or makes a new one of '', and begins its time anew; tokens made with the old one are taken back. It
   * is kept sealed, for its owner can read it again.
   */
  async change(caller: Caller, id: number, secret: string): Promise<void> {
    await this.rules.requireOidc();
    if (secret !== '') requireGoodPassword(secret, 'secret');
    const sealed = sealCliSecret(this.options.secretKey, id, secret === '' ? generateCliSecret() : secret);
    const { oidc_cli_secret_days: days } = await this.configuration.current();
    await this.database.transaction(async (transaction) => {
      const user = await lockUser(transaction, id);
      if (user === undefined) throw new Problem('NOT_FOUND', 'there is no such user');
      if (user.source !== 'oidc') throw new Problem('PRECONDITION', 'this account does not log in through OpenID Connect; change its password instead');
      await storeCliSecret(transaction, id, sealed, days);
      await withdrawTokens(transaction, [`user:${id}`]);
      await appendEvents(transaction, [{ type: 'user.changed', payload: { user: id, name: user.username }, actor: subjectId(caller.subject) }]);
      await recordAudit(transaction, caller, { operation: 'update', resourceType: 'user', resource: user.username, description: `update user with name: ${user.username}, change CLI secret` });
    });
    this.broadcasts.publish('access-changed', {});
  }

  /**
   * What ties an account to its provider; nothing for other accounts.
   *
   * @param inBrowser whether the owner asks with a browser's session: only there the secret is shown, so that who has it cannot learn its successor
   */
  async describe(id: number, inBrowser: boolean): Promise<Pick<UserResp, 'oidc_user_meta'>> {
    const kept = await this.accounts.cliSecret(id);
    if (kept === undefined) return {};
    const { issuer, subject } = identityOf(kept.externalId);
    const secret = inBrowser && !kept.expired && kept.sealed !== undefined ? { secret: openCliSecret(this.options.secretKey, id, kept.sealed) } : {};
    return {
      oidc_user_meta: {
        id, user_id: id, subiss: `${subject}${issuer}`, ...secret, creation_time: kept.createdAt.toISOString(), update_time: kept.updatedAt.toISOString(),
      },
    };
  }
}
