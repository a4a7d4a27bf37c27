import { Injectable } from '@nestjs/common';
import { appendEvents, Database, type Transaction } from '@haven/database';
import { Broadcasts } from '@haven/messages';
import { Logger } from '@haven/runtime';
import { recordAudit } from '../audit/record-audit.js';
import { withdrawTokens } from '../authorization/access-epoch.store.js';
import { ConfigurationService } from '../configuration/configuration.service.js';
import { endSessionsOf } from '../session/session.store.js';
import { joinGroups } from './external-group.store.js';
import type { ExternalSource, ExternalUser } from './external-user.js';
import { IdentityStore, type Account } from './identity.store.js';
import { LoginRefused } from './login-mode.js';
import { externalNameFault, storedName } from './external-name.js';
import { builtInName, insertExternal, lockIdentity, nameIsTaken, updateExternal, type KnownAccount } from './onboarding.store.js';

/** Keeps the accounts here in step with the systems that keep them: identities are (source, external id), never names. */
@Injectable()
export class OnboardingService {
  constructor(
    private readonly store: IdentityStore,
    private readonly database: Database,
    private readonly broadcasts: Broadcasts,
    private readonly configuration: ConfigurationService,
    private readonly logger: Logger,
  ) {}

  /**
   * The account of a person whom their system has just described: made at the first time, brought up to date later.
   * Tokens are withdrawn when the person is out of a group or no administrator any more.
   *
   * @throws LoginRefused when the person's name cannot be had here
   */
  async onboard(described: ExternalUser): Promise<Account> {
    const user = { ...described, username: storedName(described.username) };
    const { robot_name_prefix: prefix } = await this.configuration.current();
    const { id, less } = await this.database.transaction(async (transaction) => {
      const known = await lockIdentity(transaction, user);
      const kept = known === undefined ? await this.#create(transaction, user, prefix) : await this.#update(transaction, user, known, prefix);
      const { lost } = await joinGroups(transaction, kept, user.source, user.groups);
      const fewer = lost || (known?.admin === true && !user.admin);
      if (fewer) await withdrawTokens(transaction, [`user:${kept}`]);
      return { id: kept, less: fewer };
    });
    if (less) this.broadcasts.publish('access-changed', {});
    const account = await this.store.findById(id);
    if (account === undefined) throw new LoginRefused(`the account ${user.username} was deleted while it logged in`);
    return account;
  }

  /**
   * The system does not know the account any more, shuts it out, or has not been heard of for too long: its sessions end,
   * its tokens are withdrawn, and what its groups gave it is gone. The account itself stays, for its history.
   */
  async shutOut(id: number, source: ExternalSource): Promise<void> {
    await this.database.transaction(async (transaction) => {
      await transaction.execute('UPDATE haven_user SET source_admin = false, source_confirmed_at = NULL WHERE id = $1 AND source = $2', [id, source]);
      await joinGroups(transaction, id, source, []);
      await endSessionsOf(transaction, id);
      await withdrawTokens(transaction, [`user:${id}`]);
    });
    this.broadcasts.publish('access-changed', {});
  }

  async #create(transaction: Transaction, user: ExternalUser, prefix: string): Promise<number> {
    await requireGoodName(transaction, user, prefix);
    const id = await insertExternal(transaction, user);
    if (id === undefined) return this.#madeMeanwhile(transaction, user);
    const caller = { subject: { kind: 'user', id, name: user.username, sysadmin: false } } as const;
    await appendEvents(transaction, [{ type: 'user.created', payload: { user: id, name: user.username }, actor: `user:${id}` }]);
    await recordAudit(transaction, caller, { operation: 'create', resourceType: 'user', resource: user.username, description: `create user with name: ${user.username}, known from ${user.source}` });
    return id;
  }

  /** Two first logins of one person at the same time make one account. */
  async #madeMeanwhile(transaction: Transaction, user: ExternalUser): Promise<number> {
    const known = await lockIdentity(transaction, user);
    if (known === undefined) throw taken(user);
    await updateExternal(transaction, known.id, user);
    return known.id;
  }

  /** A person who has another name now gets it here, too, if it can be had; otherwise the account keeps the one it has. */
  async #update(transaction: Transaction, user: ExternalUser, known: KnownAccount, prefix: string): Promise<number> {
    const username = user.username === known.username ? known.username : await this.#newName(transaction, user, known, prefix);
    await updateExternal(transaction, known.id, { ...user, username });
    return known.id;
  }

  async #newName(transaction: Transaction, user: ExternalUser, known: KnownAccount, prefix: string): Promise<string> {
    try {
      await requireGoodName(transaction, user, prefix);
      return user.username;
    } catch (error) {
      if (!(error instanceof LoginRefused)) throw error;
      this.logger.warn('an account keeps its name although it has another one where it comes from', { name: known.username, other: user.username, source: user.source, reason: error.message });
      return known.username;
    }
  }
}

async function requireGoodName(transaction: Transaction, user: ExternalUser, prefix: string): Promise<void> {
  const fault = externalNameFault(user.username, { builtIn: await builtInName(transaction), robotPrefix: prefix });
  if (fault !== undefined) throw new LoginRefused(`the name ${JSON.stringify(user.username)} from ${user.source} ${fault}`);
  if (await nameIsTaken(transaction, user)) throw taken(user);
}

function taken(user: ExternalUser): LoginRefused {
  return new LoginRefused(`another account here has the name ${JSON.stringify(user.username)} from ${user.source} already (it belongs to another identity); rename or delete one of the two`);
}
