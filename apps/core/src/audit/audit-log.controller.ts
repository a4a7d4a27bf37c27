import { Controller, Get, Query } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { AuditLog, AuditLogEventType, AuditLogExt, ListQuery, type Page } from '@haven/api';
import { z } from 'zod';
import type { KnownProject } from '../authorization/known-project.js';
import { CallerParam, ProjectParam, Requires } from '../authorization/requirement.guard.js';
import { authenticated, projectPermission, systemPermission } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { Responds, RespondsPageOf } from '../http/response.interceptor.js';
import { AuditLogService } from './audit-log.service.js';

/** The audit trail. The older addresses answer the same lines in their older form, with fewer fields. */
@Controller('api/v2.0')
export class AuditLogController {
  constructor(private readonly logs: AuditLogService) {}

  @Get('audit-logs')
  @Operation({ id: 'listAuditLogs', tag: 'auditlog', summary: 'The audit trail of all projects whose trail the caller may read, in its older form' })
  @Requires(authenticated)
  @RespondsPageOf(AuditLog)
  listOld(@CallerParam() caller: Caller, @Query({ schema: ListQuery }) query: ListQuery): Promise<Page<AuditLog>> {
    return this.logs.listAll(caller, query);
  }

  @Get('auditlog-exts')
  @Operation({ id: 'listAuditLogExts', tag: 'auditlog', summary: 'The audit trail of all projects whose trail the caller may read' })
  @Requires(authenticated)
  @RespondsPageOf(AuditLogExt)
  list(@CallerParam() caller: Caller, @Query({ schema: ListQuery }) query: ListQuery): Promise<Page<AuditLogExt>> {
    return this.logs.listAll(caller, query);
  }

  @Get('auditlog-exts/events')
  @Operation({ id: 'listAuditLogEventTypes', tag: 'auditlog', summary: 'The kinds of lines that the audit trail has' })
  @Requires(systemPermission('audit-log', 'list'))
  @Responds(z.array(AuditLogEventType))
  eventTypes(): AuditLogEventType[] {
    return this.logs.eventTypes();
  }

  @Get('projects/:project_name/logs')
  @Operation({ id: 'getLogs', tag: 'project', summary: 'The audit trail of a project, in its older form', refuses: ['NOT_FOUND'] })
  @Requires(projectPermission('log', 'list'))
  @RespondsPageOf(AuditLog)
  listOldOfProject(@ProjectParam() project: KnownProject, @Query({ schema: ListQuery }) query: ListQuery): Promise<Page<AuditLog>> {
    return this.logs.listOf(project, query);
  }

  @Get('projects/:project_name/auditlog-exts')
  @Operation({ id: 'getLogExts', tag: 'project', summary: 'The audit trail of a project', refuses: ['NOT_FOUND'] })
  @Requires(projectPermission('log', 'list'))
  @RespondsPageOf(AuditLogExt)
  listOfProject(@ProjectParam() project: KnownProject, @Query({ schema: ListQuery }) query: ListQuery): Promise<Page<AuditLogExt>> {
    return this.logs.listOf(project, query);
  }
}
