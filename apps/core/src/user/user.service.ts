import { Injectable } from '@nestjs/common';
import { subjectId, type Caller } from '@haven/access';
import { parseQuery, parseSort, Problem, type ListQuery, type Page, type UserCreationReq, type UserProfile, type UserResp, type UserSearchQuery, type UserSearchRespItem } from '@haven/api';
import { appendEvents, Database, type Transaction } from '@haven/database';
import { Broadcasts, type EventName } from '@haven/messages';
import { recordAudit } from '../audit/record-audit.js';
import { withdrawTokens } from '../authorization/access-epoch.store.js';
import { requireGoodPassword } from '../identity/password-rules.js';
import { PasswordService } from '../identity/password.service.js';
import { endSessionsOf } from '../session/session.store.js';
import { mapPage } from '../listing/select-page.js';
import { AccountRulesService, BUILT_IN } from './account-rules.service.js';
import { requireGoodProfile, requireGoodUsername } from './user-rules.js';
import { binUser, insertUser, lockUser, updateProfile, updateSysadmin, USER_COLUMNS, UserStore, type UserRow } from './user.store.js';

const NO_USER = 'there is no such user';

@Injectable()
export class UserService {
  constructor(
    private readonly store: UserStore,
    private readonly rules: AccountRulesService,
    private readonly passwords: PasswordService,
    private readonly database: Database,
    private readonly broadcasts: Broadcasts,
  ) {}

  async list(query: ListQuery): Promise<Page<UserResp>> {
    const terms = parseQuery(query.q);
    const unknown = terms.find(({ key }) => !USER_COLUMNS.has(key));
    if (unknown !== undefined) throw new Problem('BAD_REQUEST', `q: users have no "${unknown.key.slice(0, 64)}"; use ${[...USER_COLUMNS.keys()].join(', ')}`);
    return mapPage(await this.store.list({ terms, sort: parseSort(query.sort), page: query.page, size: query.page_size }), respOf);
  }

  /** Who begins so: people find colleagues whose name they know, without being shown everybody. */
  async search({ username, page, page_size: size }: UserSearchQuery): Promise<Page<UserSearchRespItem>> {
    return mapPage(await this.store.search(username, page, size), (row) => ({ user_id: row.id, username: row.username }));
  }

  async get(id: number): Promise<UserResp> {
    const row = await this.store.find(id);
    if (row === undefined) throw new Problem('NOT_FOUND', NO_USER);
    return respOf(row);
  }

  /** Makes a local account; resolves to its id. */
  async create(caller: Caller, request: UserCreationReq, address: string): Promise<number> {
    await this.rules.requireKeptHere();
    requireGoodUsername(request.username, await this.rules.robotPrefix());
    requireGoodProfile(request);
    requireGoodPassword(request.password);
    const passwordHash = await this.passwords.hash(request.password, address);
    const { username, email, realname = '', comment = '' } = request;
    return this.database.transaction(async (transaction) => {
      const id = await insertUser(transaction, { username, email: email === '' ? undefined : email, realname, comment, passwordHash });
      if (id === 'taken') throw new Problem('CONFLICT', 'there is a user with that name or email address already');
      await announce(transaction, 'user.created', id, username, caller);
      await recordAudit(transaction, caller, { operation: 'create', resourceType: 'user', resource: username, description: `create user with name: ${username}` });
      return id;
    });
  }

  async updateProfile(caller: Caller, id: number, profile: UserProfile): Promise<void> {
    await this.rules.requireKeptHere(id);
    requireGoodProfile(profile);
    await this.#change(caller, id, 'update', '', async (transaction) => {
      if ((await updateProfile(transaction, id, profile)) === 'taken') throw new Problem('CONFLICT', 'another user has that email address');
    });
  }

  /** The built-in account stays one, so that there is always one. */
  async setSysadmin(caller: Caller, id: number, sysadmin: boolean): Promise<void> {
    if (id === BUILT_IN && !sysadmin) throw new Problem('FORBIDDEN', 'the account that the installation was set up with stays a system administrator');
    await this.#change(caller, id, 'update', `, ${sysadmin ? 'add' : 'remove'} user as system administrator`, async (transaction, user) => {
      await updateSysadmin(transaction, id, sysadmin);
      if (user.sysadmin && !sysadmin) await withdrawTokens(transaction, [`user:${id}`]);
    });
    if (!sysadmin) this.broadcasts.publish('access-changed', {});
  }

  async delete(caller: Caller, id: number): Promise<void> {
    const { subject } = caller;
    if (id === BUILT_IN) throw new Problem('FORBIDDEN', 'the account that the installation was set up with cannot be deleted');
    if (subject.kind === 'user' && subject.id === id) throw new Problem('FORBIDDEN', 'you cannot delete your own account; ask another system administrator');
    await this.#change(caller, id, 'delete', '', async (transaction) => {
      await binUser(transaction, id);
      await endSessionsOf(transaction, id);
      await withdrawTokens(transaction, [`user:${id}`]);
    });
    this.broadcasts.publish('access-changed', {});
  }

  async #change(caller: Caller, id: number, operation: 'update' | 'delete', detail: string, work: (transaction: Transaction, user: UserRow) => Promise<void>): Promise<void> {
    await this.database.transaction(async (transaction) => {
      const user = await lockUser(transaction, id);
      if (user === undefined) throw new Problem('NOT_FOUND', NO_USER);
      await work(transaction, user);
      await announce(transaction, operation === 'update' ? 'user.changed' : 'user.deleted', id, user.username, caller);
      const description = `${operation} user with name: ${user.username}${detail}`;
      await recordAudit(transaction, caller, { operation, resourceType: 'user', resource: user.username, description });
    });
  }
}

async function announce(transaction: Transaction, type: EventName, user: number, name: string, caller: Caller): Promise<void> {
  await appendEvents(transaction, [{ type, payload: { user, name }, actor: subjectId(caller.subject) }]);
}

function respOf(row: UserRow): UserResp {
  return {
    user_id: row.id,
    username: row.username,
    email: row.email,
    realname: row.realname,
    comment: row.comment,
    sysadmin_flag: row.sysadmin,
    admin_role_in_auth: row.sourceAdmin,
    creation_time: row.createdAt.toISOString(),
    update_time: row.updatedAt.toISOString(),
    ...(row.lastLoginAt === undefined ? {} : { last_login_time: row.lastLoginAt.toISOString() }),
  };
}
