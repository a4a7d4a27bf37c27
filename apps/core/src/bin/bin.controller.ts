import { Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { BinEntry, BinEntryId, BinListQuery, BinRestored, type Page } from '@haven/api';
import type { KnownProject } from '../authorization/known-project.js';
import { CallerParam, ProjectParam, Requires } from '../authorization/requirement.guard.js';
import { projectPermission } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { Responds, RespondsPageOf } from '../http/response.interceptor.js';
import { BinService } from './bin.service.js';

/** Haven's own operations: what was deleted, until its time is over. */
@Controller('api/v2.0/projects/:project_name_or_id/bin')
export class BinController {
  constructor(private readonly bin: BinService) {}

  @Get()
  @Operation({ id: 'listBin', tag: 'project', summary: 'List the deleted tags, artifacts and repositories of a project, newest first', refuses: ['NOT_FOUND'], extension: true })
  @Requires(projectPermission('artifact', 'delete')) // what was deleted is nobody's business but theirs who may delete
  @RespondsPageOf(BinEntry)
  list(@ProjectParam() project: KnownProject, @Query({ schema: BinListQuery }) query: BinListQuery, @CallerParam() caller: Caller): Promise<Page<BinEntry>> {
    return this.bin.list(project, query, caller);
  }

  @Post(':entry_id/restore')
  @Operation({
    id: 'restoreFromBin', tag: 'project', summary: 'Undo a deletion; needs the right to delete artifacts, too', refuses: ['NOT_FOUND', 'CONFLICT', 'DENIED'], extension: true,
    audits: { operation: 'restore', resourceType: 'artifact' },
  })
  @HttpCode(200)
  @Requires(projectPermission('artifact', 'create'))
  @Responds(BinRestored)
  restore(@ProjectParam() project: KnownProject, @Param('entry_id', { schema: BinEntryId }) id: number, @CallerParam() caller: Caller): Promise<BinRestored> {
    return this.bin.restore(project, id, caller);
  }
}
