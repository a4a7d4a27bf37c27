import { Injectable } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { parseQuery, parseSort, Problem, type ImmutableRule, type ImmutableRuleUpdate, type ListQuery, type Page } from '@haven/api';
import { Database, type Transaction } from '@haven/database';
import { Broadcasts } from '@haven/messages';
import { recordAudit } from '../audit/record-audit.js';
import type { KnownProject } from '../authorization/known-project.js';
import { mapPage } from '../listing/select-page.js';
import { readRule, readRuleUpdate } from './immutability-rules.js';
import { countRules, deleteRule, ImmutabilityStore, insertRule, lockProjectRules, lockRule, updateRule, type ImmutabilityRow } from './immutability.store.js';

const NO_RULE = 'the project has no such immutable tag rule';
const SAME_RULE = 'the project has the very same immutable tag rule already';
const NO_SELECTORS = 'tag_selectors and scope_selectors are missing; send the whole rule, or only another value of disabled';
/** Every push to a tag looks at all of them. */
const MOST_RULES = 100;

/** Rules about tags that must not be moved or deleted. The catalog obeys them from the next push on. */
@Injectable()
export class ImmutabilityService {
  constructor(
    private readonly store: ImmutabilityStore,
    private readonly database: Database,
    private readonly broadcasts: Broadcasts,
  ) {}

  async list(project: KnownProject, query: ListQuery): Promise<Page<ImmutableRule>> {
    return mapPage(await this.store.list({
      projectId: project.id, terms: parseQuery(query.q), sort: parseSort(query.sort), page: query.page, size: query.page_size,
    }), ruleOf);
  }

  /** Resolves to the new rule's id. */
  async create(project: KnownProject, caller: Caller, request: ImmutableRule): Promise<number> {
    const rule = readRule(request);
    return this.#change(project, async (transaction) => {
      if ((await countRules(transaction, project.id)) >= MOST_RULES) throw new Problem('BAD_REQUEST', `a project can have at most ${MOST_RULES} immutable tag rules; delete one first`);
      const id = await insertRule(transaction, project.id, request.disabled ?? false, rule);
      if (id === undefined) throw new Problem('CONFLICT', SAME_RULE);
      await audit(transaction, project, caller, 'create', id);
      return id;
    });
  }

  /** Changes a rule. As in Harbor, a request that changes `disabled` changes nothing else. */
  async update(project: KnownProject, caller: Caller, id: number, request: ImmutableRuleUpdate): Promise<void> {
    if (request.id !== undefined && request.id !== id) throw new Problem('BAD_REQUEST', `the id in the body must be ${id}, that of the address`);
    const rule = readRuleUpdate(request);
    await this.#change(project, async (transaction) => {
      const current = await lockRule(transaction, project.id, id);
      if (current === undefined) throw new Problem('NOT_FOUND', NO_RULE);
      const disabled = request.disabled ?? false;
      if (rule === undefined && (request.disabled === undefined || disabled === current.disabled)) throw new Problem('BAD_REQUEST', NO_SELECTORS);
      const wanted = disabled === current.disabled && rule !== undefined ? { id, disabled, rule } : { ...current, disabled };
      if (!(await updateRule(transaction, project.id, wanted))) throw new Problem('CONFLICT', SAME_RULE);
      await audit(transaction, project, caller, 'update', id);
    });
  }

  async delete(project: KnownProject, caller: Caller, id: number): Promise<void> {
    await this.#change(project, async (transaction) => {
      if (!(await deleteRule(transaction, project.id, id))) throw new Problem('NOT_FOUND', NO_RULE);
      await audit(transaction, project, caller, 'delete', id);
    });
  }

  /** One change of a project's rules at a time, and none while something is pushed that the old ones were asked about. */
  async #change<Result>(project: KnownProject, work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    const result = await this.database.transaction(async (transaction) => {
      if (!(await lockProjectRules(transaction, project.id))) throw new Problem('NOT_FOUND', 'there is no such project');
      return work(transaction);
    });
    this.broadcasts.publish('project-changed', { project: project.name });
    return result;
  }
}

async function audit(transaction: Transaction, project: KnownProject, caller: Caller, operation: 'create' | 'update' | 'delete', id: number): Promise<void> {
  const description = `${operation} immutable tag rule ${id} of project ${project.name}`;
  await recordAudit(transaction, caller, { operation, resourceType: 'immutable_tag_rule', resource: `${project.name}/${id}`, description, project: project.id });
}

function ruleOf({ id, disabled, rule }: ImmutabilityRow): ImmutableRule {
  return { id, disabled, ...rule };
}
