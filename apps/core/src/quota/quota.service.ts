import { Injectable } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { parseSort, Problem, type Page, type Quota, type QuotaListQuery, type QuotaUpdateReq } from '@haven/api';
import { Database } from '@haven/database';
import { recordAudit } from '../audit/record-audit.js';
import { mapPage } from '../listing/select-page.js';
import { requireStorageLimit } from '../project/project-request.js';
import { limitProject, QuotaStore, type QuotaRow } from './quota.store.js';

/** The only thing that has a quota. */
const PROJECT = 'project';
const LARGEST_ID = 2_147_483_647;
const NO_QUOTA = 'there is no such quota';

/** What projects may hold, and do. */
@Injectable()
export class QuotaService {
  constructor(
    private readonly store: QuotaStore,
    private readonly database: Database,
  ) {}

  async list({ reference = PROJECT, reference_id: referenceId, sort, page, page_size: size }: QuotaListQuery): Promise<Page<Quota>> {
    const projectId = referenceId === undefined || referenceId === '' ? undefined : idIn(referenceId);
    if ((reference !== PROJECT && reference !== '') || projectId === 0) return { items: [], total: 0 };
    return mapPage(await this.store.list({ projectId, sort: parseSort(sort), page, size }), quotaOf);
  }

  async get(id: number): Promise<Quota> {
    const row = await this.store.find(id);
    if (row === undefined) throw new Problem('NOT_FOUND', NO_QUOTA);
    return quotaOf(row);
  }

  async update(id: number, caller: Caller, { hard: { storage } }: QuotaUpdateReq): Promise<void> {
    if (storage === undefined) throw new Problem('BAD_REQUEST', 'hard.storage is missing');
    requireStorageLimit(storage, 'hard.storage');
    await this.database.transaction(async (transaction) => {
      const limited = await limitProject(transaction, id, storage);
      if (limited === undefined) throw new Problem('NOT_FOUND', NO_QUOTA);
      const description = `update the quota of project ${limited.name}: ${limited.former} to ${storage} bytes`;
      await recordAudit(transaction, caller, { operation: 'update', resourceType: 'quota', resource: limited.name, description, project: id });
    });
  }
}

/** 0 for what is the id of no project. */
function idIn(text: string): number {
  const id = /^[1-9]\d{0,9}$/.test(text) ? Number(text) : 0;
  return id > LARGEST_ID ? 0 : id;
}

function quotaOf(row: QuotaRow): Quota {
  return {
    id: row.id,
    ref: { id: row.id, name: row.project, owner_name: row.owner },
    hard: { storage: row.hard },
    used: { storage: row.used },
    creation_time: row.createdAt.toISOString(),
    update_time: row.updatedAt.toISOString(),
  };
}
